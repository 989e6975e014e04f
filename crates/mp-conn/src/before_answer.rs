//! What is done when a call of the peer's has ended, before its answer goes out.

/// A function, which is called once.
#[derive(Default)]
pub(crate) struct BeforeAnswer(Option<Box<dyn FnOnce() + Send + Sync>>);

impl BeforeAnswer {
    pub(crate) fn new(action: impl FnOnce() + Send + Sync + 'static) -> Self {
        Self(Some(Box::new(action)))
    }

    pub(crate) fn run(&mut self) {
        if let Some(action) = self.0.take() {
            action();
        }
    }
}

impl std::fmt::Debug for BeforeAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("BeforeAnswer")
            .field(&self.0.is_some())
            .finish()
    }
}
