//! The model of the conformance suite's schema, which has every feature once, from each compiler.

use crate::support::CONFORMANCE;
use mp_schema::{
    Field, Interface, Item, Method, MethodKind, Role, Schema, Type, Value, well_known,
};

fn each(test: impl Fn(&Schema)) {
    CONFORMANCE.iter().for_each(test);
}

fn interface<'a>(schema: &'a Schema, name: &str) -> &'a Interface {
    let file = &schema.files[0];
    match schema.find(file.id, name) {
        Some(Item::Interface(interface)) => interface,
        other => panic!("{name}: {other:?}"),
    }
}

fn method<'a>(schema: &'a Schema, interface: &str, name: &str) -> &'a Method {
    self::interface(schema, interface)
        .method(name)
        .expect("the schema has it")
}

fn fields<'a>(schema: &'a Schema, name: &str) -> &'a [Field] {
    let file = &schema.files[0];
    match schema.find(file.id, name) {
        Some(Item::Struct(structure)) => &structure.fields,
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn file() {
    each(|schema| {
        let file = &schema.files[0];
        assert_eq!(
            (file.id, file.name.as_str(), file.requested),
            (0xd3b5_a1c0_7e2f_4896, "conformance.capnp", true)
        );
        assert_eq!(
            file.location.to_string(),
            "tests/schema/conformance.capnp:1:1"
        );
        assert_eq!(file.namespace.as_deref(), Some("conformance::messages"));
        assert_eq!(file.includes, ["conformance.h"]);
        assert_eq!(file.include_types, ["conformance-types.h"]);
        let mut imports: Vec<_> = file
            .imports
            .iter()
            .map(|import| import.name.as_str())
            .collect();
        imports.sort_unstable();
        assert_eq!(imports, ["/capnp/c++.capnp", "/mp/proxy.capnp"]);
        assert!(
            schema
                .file(well_known::PROXY_FILE)
                .is_some_and(|file| !file.requested)
        );
        assert_eq!(file.items.len(), 20);
        assert_eq!(
            schema.sources,
            [std::path::PathBuf::from("tests/schema/conformance.capnp")]
        );
    });
}

#[test]
fn well_known_types() {
    each(|schema| {
        let thread_map = schema.interface(well_known::THREAD_MAP).unwrap();
        let methods: Vec<_> = thread_map
            .methods
            .iter()
            .map(|m| (m.name.as_str(), m.ordinal))
            .collect();
        assert_eq!(
            (thread_map.count, methods),
            (Some(0), vec![("makeThread", 0), ("makePool", 1)])
        );
        let context = schema.structure(well_known::CONTEXT).unwrap();
        let names: Vec<_> = context
            .fields
            .iter()
            .map(|f| (f.name.as_str(), f.pointer_index()))
            .collect();
        assert_eq!(
            (context.count, names),
            (
                Some(0),
                vec![("thread", Some(0)), ("callbackThread", Some(1))]
            )
        );
        assert_eq!(
            schema.interface(well_known::THREAD).unwrap().methods[0].name,
            "getName"
        );
        assert_eq!(context.decl.location.to_string(), "mp/proxy.capnp:50:8");
    });
}

#[test]
fn construct_and_contexts() {
    each(|schema| {
        let construct = method(schema, "Init", "construct");
        assert_eq!(construct.kind, MethodKind::Construct);
        assert_eq!(
            construct.thread_map_param().unwrap().pointer_index(),
            Some(0)
        );
        assert_eq!(
            construct.thread_map_result().unwrap().pointer_index(),
            Some(0)
        );
        assert_eq!(
            (construct.args[0].role.clone(), construct.args[0].count),
            (Role::InOut, 0)
        );
        assert_eq!(
            method(schema, "Values", "destroy").kind,
            MethodKind::Destroy
        );
        assert_eq!(
            method(schema, "Values", "destroy")
                .context()
                .unwrap()
                .pointer_index(),
            Some(0)
        );
        assert!(method(schema, "Values", "add").context().is_none());
        let retired = method(schema, "Init", "retired");
        assert!(retired.args.is_empty() && retired.params.is_implicit);
        assert_eq!(
            retired.comment.as_deref(),
            Some("-> fails with \"retired: use makeValues\"")
        );
    });
}

#[test]
fn places_and_comments() {
    each(|schema| {
        let add = method(schema, "Values", "add");
        assert_eq!(
            add.location.to_string(),
            "tests/schema/conformance.capnp:32:5"
        );
        assert_eq!(
            add.params.fields[1].location.to_string(),
            "tests/schema/conformance.capnp:32:23"
        );
        assert_eq!(
            add.results.fields[0].location.to_string(),
            "tests/schema/conformance.capnp:32:37"
        );
        assert_eq!(
            add.comment.as_deref(),
            Some("-> a + b, wrapping; no context: runs where the connection is served")
        );
        let params = schema.structure(add.params.target.id).unwrap();
        assert!(params.is_implicit && params.decl.name.is_empty());
        assert_eq!(params.decl.path, ["Values", "add$Params"]);
        assert_eq!(
            fields(schema, "Person")[6].location.to_string(),
            "tests/schema/conformance.capnp:108:5"
        );
    });
}

#[test]
fn roles() {
    each(|schema| {
        let roles = |name: &str| -> Vec<(String, Role)> {
            let args = &method(schema, "Values", name).args;
            args.iter()
                .filter(|arg| arg.count != 0)
                .map(|arg| (arg.name.clone(), arg.role.clone()))
                .collect()
        };
        let named = |roles: &[(&str, Role)]| -> Vec<(String, Role)> {
            roles
                .iter()
                .map(|(name, role)| ((*name).to_owned(), role.clone()))
                .collect()
        };
        assert_eq!(
            roles("addOut"),
            named(&[("a", Role::In), ("b", Role::In), ("sum", Role::Out)])
        );
        assert_eq!(
            roles("addInOut"),
            named(&[("x", Role::In), ("sum", Role::InOut)])
        );
        let error = Role::Exception("conformance::PersonError".to_owned());
        assert_eq!(
            roles("raiseIf"),
            named(&[
                ("value", Role::In),
                ("error", error),
                ("result", Role::Return)
            ])
        );

        assert_eq!(
            roles("passOptional"),
            named(&[("value", Role::In), ("result", Role::Return)])
        );
    });
}

#[test]
fn companions() {
    each(|schema| {
        let optional = method(schema, "Values", "passOptional");
        assert_eq!(
            (optional.args[0].has_param, optional.args[0].has_result),
            (Some(1), None)
        );
        assert_eq!(
            (optional.args[1].has_param, optional.args[1].has_result),
            (None, Some(1))
        );
        assert!(optional.args[0].is_optional());

        let stats = method(schema, "Values", "stats");
        let wants: Vec<_> = stats
            .args
            .iter()
            .map(|arg| (arg.name.as_str(), arg.want))
            .collect();
        assert_eq!(
            wants,
            [
                ("context", None),
                ("value", None),
                ("max", Some(2)),
                ("min", Some(3)),
                ("result", None)
            ]
        );
        assert_eq!(
            method(schema, "Values", "renamed").cxx_name.as_deref(),
            Some("other_name")
        );
    });
}

#[test]
fn structs_and_defaults() {
    each(|schema| {
        let person = fields(schema, "Person");
        assert_eq!((person[3].has, person[4].has_of), (Some(4), Some(3)));
        assert_eq!(person[1].cxx_name.as_deref(), Some("lucky_numbers"));
        assert!(person[6].skip);
        let options = fields(schema, "Options");
        let defaults: Vec<_> = options
            .iter()
            .map(|field| (field.default.clone(), field.has_default))
            .collect();
        let expected = [
            Value::Bool(true),
            Value::UInt32(8000),
            Value::Text("none".to_owned()),
        ];
        assert_eq!(defaults, expected.map(|value| (value, true)));
        let flag = method(schema, "Values", "withDefault")
            .params
            .field("flag")
            .unwrap();
        assert_eq!(
            (flag.default.clone(), flag.has_default),
            (Value::Bool(true), true)
        );
        let file = schema.files[0].id;
        let Some(Item::Constant(limit)) = schema.find(file, "defaultLimit") else {
            panic!("no constant")
        };
        assert_eq!(
            (&limit.ty, &limit.value),
            (&Type::UInt32, &Value::UInt32(8000))
        );
        let Some(Item::Enum(color)) = schema.find(file, "Color") else {
            panic!("no enum")
        };
        let names: Vec<_> = color
            .enumerants
            .iter()
            .map(|value| (value.name.as_str(), value.ordinal))
            .collect();
        assert_eq!(names, [("red", 0), ("green", 1), ("blue", 2)]);
        assert_eq!(
            color.enumerants[1].location.to_string(),
            "tests/schema/conformance.capnp:83:5"
        );
    });
}

#[test]
fn generics() {
    each(|schema| {
        let Type::List(element) = &method(schema, "Values", "passMap").params.fields[0].ty else {
            panic!("no list")
        };
        let Type::Struct(pair) = &**element else {
            panic!("no struct")
        };
        let declared = schema.structure(pair.id).unwrap();
        assert_eq!(declared.decl.type_params, ["First", "Second"]);
        assert!(declared.decl.is_generic);
        assert_eq!(
            declared.fields[1].ty,
            Type::Parameter {
                scope: pair.id,
                index: 1
            }
        );
        assert_eq!(declared.fields[1].ty.substitute(&pair.brand), Type::Text);
        assert_eq!(element.named(), Some(pair));
    });
}

#[test]
fn inheritance_and_functions() {
    each(|schema| {
        let callback = interface(schema, "Callback");
        let extended = interface(schema, "ExtendedCallback");
        assert_eq!(extended.superclasses[0].target.id, callback.decl.id);
        let all: Vec<_> = schema.all_methods(extended.decl.id).into_iter().collect();
        let names: Vec<_> = all
            .iter()
            .map(|method| (method.name.as_str(), method.ordinal))
            .collect();
        assert_eq!(names, [("destroy", 0), ("call", 1), ("callExtended", 0)]);
        assert_eq!(all[1].interface, callback.decl.id);
        let wrap = |name: &str| interface(schema, name).wrap.clone().unwrap();
        assert_eq!(wrap("IntFn").callback.as_deref(), Some("int()"));
        assert_eq!(
            wrap("TextFn").callback.as_deref(),
            Some("std::string(const std::string&)")
        );
        assert_eq!(
            (wrap("Callback").callback, wrap("Callback").short_name()),
            (None, "Callback")
        );
    });
}

#[test]
fn both_compilers_agree() {
    let own = |schema: &Schema| -> String {
        let file = schema.files[0].id;
        schema
            .items
            .values()
            .filter(|item| item.decl().file == file)
            .map(|item| format!("{item:?}\n"))
            .collect()
    };
    assert!(
        CONFORMANCE
            .windows(2)
            .all(|pair| own(&pair[0]) == own(&pair[1]))
    );
}
