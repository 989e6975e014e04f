@0xb1b1b1b1b1b1b1b1;

struct B { z @0 :Zed; }
