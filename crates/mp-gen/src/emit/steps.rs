//! The statements that fill in a message, put together as shortly as they allow.

use proc_macro2::TokenStream;
use quote::quote;

/// One statement.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// An expression of type `()`.
    Plain(TokenStream),
    /// An expression of type `Result<()>`, and the same for when nothing else follows, which may consume the builder.
    Result(TokenStream, TokenStream),
    /// Statements; the flag says whether there is a `?` in them.
    Block(TokenStream, bool),
}

/// Whether one of the statements can fail.
pub(crate) fn can_fail(steps: &[Step]) -> bool {
    steps
        .iter()
        .any(|step| matches!(step, Step::Result(..) | Step::Block(_, true)))
}

/// Whether the body of a closure with these statements consumes the builder instead of changing it.
pub(crate) fn consumes(steps: &[Step]) -> bool {
    matches!(steps, [Step::Result(..)])
}

/// The statements, with `?` where they can fail.
pub(crate) fn statements(steps: &[Step]) -> TokenStream {
    let steps = steps.iter().map(|step| match step {
        Step::Plain(expression) => quote!(#expression;),
        Step::Result(expression, _) => quote!(#expression?;),
        Step::Block(block, _) => block.clone(),
    });
    quote!(#(#steps)*)
}

/// The body of a closure that may end with nothing or with a `Result<()>`.
pub(crate) fn closure_body(steps: &[Step]) -> TokenStream {
    match steps {
        [Step::Plain(expression) | Step::Result(_, expression)] => expression.clone(),
        _ if can_fail(steps) => {
            let body = function_body(steps);
            quote!({ #body })
        }
        _ => {
            let body = statements(steps);
            quote!({ #body })
        }
    }
}

/// The body of a function that ends with a `Result<()>`.
pub(crate) fn function_body(steps: &[Step]) -> TokenStream {
    match steps {
        [first @ .., Step::Result(last, _)] => {
            let first = statements(first);
            quote!(#first #last)
        }
        _ => {
            let all = statements(steps);
            quote!(#all Ok(()))
        }
    }
}
