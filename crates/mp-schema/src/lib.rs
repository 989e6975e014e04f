//! Reads Cap'n Proto schema files and their $Proxy annotations into a checked model of interfaces, methods and structs.
