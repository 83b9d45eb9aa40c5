//! Which request a reply answers.

use std::collections::VecDeque;

/// A reply whose context belongs to no unanswered request: it was answered before, was never
/// sent, or was given up. The stream or the bookkeeping is wrong, so nothing that depends on
/// this connection's replies is certain any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "VPP answered context {context}, which no unanswered request has ({unanswered} are \
     unanswered, the next will be {next}): connect again and resynchronise"
)]
pub struct UnexpectedReply {
    /// The reply's context.
    pub context: u32,
    /// How many requests are unanswered.
    pub unanswered: usize,
    /// The context that the next request gets.
    pub next: u32,
}

/// The unanswered requests of one connection, by context.
///
/// Contexts count up from 1 and wrap. VPP answers in order, so requests wait in a ring; answers
/// out of order leave gaps in it, which go when everything older is answered.
#[derive(Clone, Debug)]
pub struct InFlight<T> {
    ring: VecDeque<Option<T>>,
    first: u32,
    unanswered: usize,
}

impl<T> Default for InFlight<T> {
    fn default() -> Self {
        Self::starting_at(1)
    }
}

impl<T> InFlight<T> {
    /// No requests; the first one pushed gets the context given.
    #[must_use]
    pub const fn starting_at(context: u32) -> Self {
        Self {
            ring: VecDeque::new(),
            first: context,
            unanswered: 0,
        }
    }

    /// Remembers a request and gives the context to send it with.
    pub fn push(&mut self, request: T) -> u32 {
        let context = self.next_context();
        self.ring.push_back(Some(request));
        self.unanswered += 1;
        context
    }

    /// The context that the next [`InFlight::push`] gives.
    #[must_use]
    pub fn next_context(&self) -> u32 {
        // Contexts wrap, so only the length's lower 32 bits count.
        self.first.wrapping_add(self.ring.len() as u32)
    }

    /// Takes the request that a reply's context answers.
    ///
    /// # Errors
    /// [`UnexpectedReply`] if no unanswered request has the context.
    pub fn take(&mut self, context: u32) -> Result<T, UnexpectedReply> {
        let index = context.wrapping_sub(self.first) as usize;
        let Some(request) = self.ring.get_mut(index).and_then(Option::take) else {
            return Err(UnexpectedReply {
                context,
                unanswered: self.unanswered,
                next: self.next_context(),
            });
        };
        self.unanswered -= 1;
        while let Some(None) = self.ring.front() {
            self.ring.pop_front();
            self.first = self.first.wrapping_add(1);
        }
        Ok(request)
    }

    /// How many requests are unanswered.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.unanswered
    }

    /// Whether every request was answered.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.unanswered == 0
    }

    /// Gives up all unanswered requests and hands them out, oldest first. Contexts go on behind
    /// them, so a late reply meets no other request.
    pub fn drain(&mut self) -> impl Iterator<Item = (u32, T)> + use<T> {
        let first = self.first;
        self.first = self.next_context();
        self.unanswered = 0;
        let contexts = (0..).map(move |index| first.wrapping_add(index));
        let given_up = contexts.zip(std::mem::take(&mut self.ring));
        given_up.filter_map(|(context, request)| Some((context, request?)))
    }
}
