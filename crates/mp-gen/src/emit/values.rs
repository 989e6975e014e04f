//! One value into a message, and out of it.

use proc_macro2::{Ident, TokenStream};
use quote::{format_ident, quote};

use super::Emitter;
use super::steps::{self, Step};
use super::types::{is_copy, owned_type, plain_type};
use crate::plan::{Presence, Slot, Ty};

/// An expression that reads a value.
#[derive(Clone, Debug)]
pub(crate) struct Read {
    /// The expression: the value, or a `Result` of it.
    pub expression: TokenStream,
    pub can_fail: bool,
}

impl Read {
    /// As an expression of the value, in a function that returns a `Result`.
    pub(crate) fn value(&self) -> TokenStream {
        let expression = &self.expression;
        if self.can_fail {
            quote!(#expression?)
        } else {
            expression.clone()
        }
    }

    /// As an expression of a `Result`.
    pub(crate) fn result(&self) -> TokenStream {
        let expression = &self.expression;
        if self.can_fail {
            expression.clone()
        } else {
            quote!(Ok(#expression))
        }
    }

    /// The same value only if a condition holds.
    pub(crate) fn when(self, condition: &TokenStream) -> Self {
        let expression = &self.expression;
        let expression = if self.can_fail {
            quote!(mp::when(#condition, || #expression))
        } else if condition.to_string().contains("&&") {
            quote!((#condition).then(|| #expression))
        } else {
            quote!(#condition.then(|| #expression))
        };
        Self { expression, ..self }
    }
}

impl Emitter {
    /// Writes a value that stands in an owned place: a field of `self`, or a result.
    pub(crate) fn build_owned(
        &self,
        slot: &Slot,
        builder: &Ident,
        place: &TokenStream,
        is_wanted: bool,
    ) -> Vec<Step> {
        let source = if is_copy(&slot.ty) {
            place.clone()
        } else {
            quote!(&#place)
        };
        if slot.presence == Presence::Always && !is_wanted {
            return self.build_value(slot, builder, &source);
        }
        self.build_if_some(slot, builder, &source)
    }

    /// Writes a value that is an argument.
    pub(crate) fn build_argument(&self, slot: &Slot, builder: &Ident) -> Vec<Step> {
        let name = &slot.name;
        let source = if matches!(slot.ty, Ty::Object(..)) {
            quote!(&#name)
        } else {
            quote!(#name)
        };
        match slot.presence {
            Presence::Always => self.build_value(slot, builder, &source),
            _ => self.build_if_some(slot, builder, &source),
        }
    }

    fn build_if_some(&self, slot: &Slot, builder: &Ident, source: &TokenStream) -> Vec<Step> {
        let mut inner = self.build_value(slot, builder, &quote!(value));
        if slot.presence == Presence::Companion {
            let set_has = format_ident!("set_has_{}", slot.accessor);
            inner.push(Step::Plain(quote!(#builder.#set_has(true))));
        }
        let statements = steps::statements(&inner);
        vec![Step::Block(
            quote!(if let Some(value) = #source { #statements }),
            steps::can_fail(&inner),
        )]
    }

    /// Writes a value: `value` is a copy of it, or a reference to it.
    pub(crate) fn build_value(
        &self,
        slot: &Slot,
        builder: &Ident,
        value: &TokenStream,
    ) -> Vec<Step> {
        let set = format_ident!("set_{}", slot.accessor);
        let init = if slot.generic {
            format_ident!("initn_{}", slot.accessor)
        } else {
            format_ident!("init_{}", slot.accessor)
        };
        vec![match &slot.ty {
            Ty::Extern(_, plain) => return self.build_converted(slot, plain, builder, value),
            ty if ty.has_converted_elements() => return self.build_elements(slot, builder, value),
            _ if slot.generic => borrowing(
                builder,
                |builder| quote!(mp::fill(#value, objects, |n| #builder.#init(n))),
            ),
            Ty::Unit | Ty::Number(_) | Ty::Text => Step::Plain(quote!(#builder.#set(#value))),
            Ty::TextBytes => Step::Plain(quote!(#builder.#set(mp::capnp::text::Reader(#value)))),
            Ty::Enum(_) if value.to_string().starts_with('*') => {
                Step::Plain(quote!(#builder.#set((#value).into())))
            }
            Ty::Enum(_) => Step::Plain(quote!(#builder.#set(#value.into()))),
            Ty::Object(..) => Step::Plain(quote!(#builder.#set(mp::object(objects, #value)))),
            Ty::Struct(..) => borrowing(
                builder,
                |builder| quote!(mp::build(#builder.#init(), #value, objects)),
            ),
            Ty::Map(_, entry) => {
                let body = steps::closure_body(&self.build_entry(entry));
                borrowing(
                    builder,
                    |builder| quote!(mp::build_map(#value, |n| #builder.#init(n), |key, value, mut entry| #body)),
                )
            }
            Ty::Data | Ty::List(_) | Ty::Set(..) | Ty::Param(_) | Ty::Nullable(_) => borrowing(
                builder,
                |builder| quote!(mp::fill(#value, objects, |n| #builder.#init(n))),
            ),
        }]
    }

    fn build_entry(&self, entry: &(Slot, Slot)) -> Vec<Step> {
        let builder = format_ident!("entry");
        let mut steps = Vec::new();
        for slot in [&entry.0, &entry.1] {
            let name = &slot.name;
            let is_there = slot.presence == Presence::Always;
            let value = if is_copy(&slot.ty) && is_there {
                quote!(*#name)
            } else {
                quote!(#name)
            };
            steps.extend(match slot.presence {
                Presence::Always => self.build_value(slot, &builder, &value),
                _ => self.build_if_some(slot, &builder, &value),
            });
        }
        steps
    }

    fn build_converted(
        &self,
        slot: &Slot,
        plain: &Ty,
        builder: &Ident,
        value: &TokenStream,
    ) -> Vec<Step> {
        let (label, local, plain_type) = (&slot.label, &self.local, plain_type(plain));
        let converted = match plain {
            _ if is_copy(plain) => quote!(*plain),
            Ty::Text | Ty::TextBytes | Ty::Data => quote!(&plain[..]),
            _ => quote!(&plain),
        };
        let inner = Slot {
            ty: plain.clone(),
            ..slot.clone()
        };
        let mut steps = vec![Step::Block(
            quote!(let plain = mp::build_field::<#plain_type, #local, _>(#value, #label)?;),
            true,
        )];
        steps.extend(self.build_value(&inner, builder, &converted));
        steps
    }

    /// Reads a field through its getter.
    pub(crate) fn read_slot(&self, slot: &Slot, reader: &Ident) -> Read {
        let get = format_ident!("get_{}", slot.accessor);
        let getter = quote!(#reader.#get());
        if let (Ty::Object(..), Presence::Null) = (&slot.ty, slot.presence) {
            let label = &slot.label;
            return Read {
                expression: quote!(objects.get_optional(#getter, #label)),
                can_fail: true,
            };
        }
        let read = self.read_value(slot, &getter);
        match present(slot, reader) {
            Some(condition) => read.when(&condition),
            None => read,
        }
    }

    /// Reads a field that is lent instead of copied.
    pub(crate) fn lend_slot(&self, slot: &Slot, reader: &Ident) -> Read {
        let (get, label) = (format_ident!("get_{}", slot.accessor), &slot.label);
        let read = Read {
            expression: quote!(mp::read_with(#reader.#get(), #label, objects)),
            can_fail: true,
        };
        match present(slot, reader) {
            Some(condition) => read.when(&condition),
            None => read,
        }
    }

    /// Reads what a getter, or a union's member, holds.
    pub(crate) fn read_value(&self, slot: &Slot, getter: &TokenStream) -> Read {
        let label = &slot.label;
        let expression = match &slot.ty {
            Ty::Unit | Ty::Number(_) => {
                return Read {
                    expression: getter.clone(),
                    can_fail: false,
                };
            }
            Ty::Enum(_) => quote!(mp::enumerant(#getter, #label)),
            Ty::Object(..) => quote!(objects.get(#getter, #label)),
            Ty::Map(_, entry) => {
                let reader = format_ident!("entry");
                let (key, value) = (
                    self.read_slot(&entry.0, &reader).value(),
                    self.read_slot(&entry.1, &reader).value(),
                );
                quote!(mp::read_map(#getter, #label, |entry| Ok((#key, #value))))
            }
            Ty::Extern(_, plain) => self.read_converted(slot, plain, getter),
            ty if ty.has_converted_elements() => self.read_elements(slot, getter),
            Ty::Text | Ty::TextBytes | Ty::Data => quote!(mp::read(#getter, #label)),
            _ if slot.group => quote!(mp::read_with(Ok(#getter), #label, objects)),
            _ => quote!(mp::read_with(#getter, #label, objects)),
        };
        Read {
            expression,
            can_fail: true,
        }
    }

    fn read_converted(&self, slot: &Slot, plain: &Ty, getter: &TokenStream) -> TokenStream {
        let (label, local, plain_type, owned) = (
            &slot.label,
            &self.local,
            plain_type(plain),
            owned_type(plain),
        );
        let inner = Slot {
            ty: plain.clone(),
            ..slot.clone()
        };
        let value = match plain {
            Ty::Text | Ty::Data => quote!(mp::read::<&#plain_type, _>(#getter, #label)?),
            Ty::Enum(_) => quote!(&mp::enumerant::<#owned, _>(#getter, #label)?),
            Ty::Unit | Ty::Number(_) => quote!(&#getter),
            Ty::Map(..) => {
                let read = self.read_value(&inner, getter).value();
                quote!(&{ let map: #owned = #read; map })
            }
            Ty::TextBytes => quote!(&mp::read::<#owned, _>(#getter, #label)?),
            _ => quote!(&mp::read_with::<#owned, _>(#getter, #label, objects)?),
        };
        quote!(mp::read_field::<#plain_type, #local, _>(#value, #label))
    }
}

/// A step that takes the builder's place in the message: by borrowing it, or for good.
fn borrowing(builder: &Ident, step: impl Fn(&TokenStream) -> TokenStream) -> Step {
    Step::Result(step(&quote!(#builder.reborrow())), step(&quote!(#builder)))
}

/// The condition under which the value is there.
pub(crate) fn present(slot: &Slot, reader: &Ident) -> Option<TokenStream> {
    let method = match slot.presence {
        Presence::Always => return None,
        Presence::Companion => format_ident!("get_has_{}", slot.accessor),
        Presence::Null => format_ident!("has_{}", slot.accessor),
    };
    Some(quote!(#reader.#method()))
}

/// Whether what writes a value takes the message's table of objects.
pub(crate) fn builds_objects(slot: &Slot) -> bool {
    slot.generic || builds_type(&slot.ty)
}

fn builds_type(ty: &Ty) -> bool {
    match ty {
        Ty::Unit | Ty::Number(_) | Ty::Text | Ty::TextBytes | Ty::Enum(_) => false,
        Ty::Map(_, entry) => builds_objects(&entry.0) || builds_objects(&entry.1),
        Ty::Extern(_, plain) => builds_type(plain),
        _ => true,
    }
}

/// Whether what reads a value takes the message's table of objects.
pub(crate) fn reads_objects(slot: &Slot) -> bool {
    reads_type(&slot.ty)
}

fn reads_type(ty: &Ty) -> bool {
    match ty {
        Ty::Unit | Ty::Number(_) | Ty::Text | Ty::TextBytes | Ty::Data | Ty::Enum(_) => false,
        Ty::Map(_, entry) => reads_objects(&entry.0) || reads_objects(&entry.1),
        Ty::Extern(_, plain) => reads_type(plain),
        _ => true,
    }
}
