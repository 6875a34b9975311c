//! Attempts end, and the run with the last of them.

use windflow_core::failure::{Failure, FailureKind};
use windflow_core::json::Json;
use windflow_core::ports::host::Emission;
use windflow_core::retry;
use windflow_core::run::{Cause, EndStatus, Event, NodeState, Phase, RunFailure, Step, Timestamp, Wait};
use windflow_core::workflow::format_duration;

use super::{Due, Given, Lost, RunLoop, milliseconds};
use crate::answer::{self, Answer, AnswerError};
use crate::attempt::{Course, Done};
use crate::scope;
use crate::updates::Update;

impl RunLoop {
    pub(super) async fn settle(&mut self, done: Done) -> Result<(), Lost> {
        match done {
            Done::Due { step, attempt } => {
                self.queue.push_back(Due { step, attempt, unknown: false });
                Ok(())
            }
            Done::Lost(error) => Err(error.into()),
            Done::GivenUp(lost) => Err((*lost).clone()),
            Done::RunTimedOut { limit } => {
                self.guards -= 1;
                if *self.state.phase() == Phase::Running {
                    self.append(Event::RunTimedOut { limit_ms: milliseconds(limit) })?;
                    self.cancel_flag.raise();
                }
                Ok(())
            }
            Done::Asked { step, question } => {
                if self.state.question(step).is_some_and(|(_, asked)| *asked == question) {
                    let node = self.prepared.plan.node(step.node).id.clone();
                    let responder = self.inner.config.responder.as_ref();
                    if let Some(reply) = responder.and_then(|who| who.respond(&node, step.item, &question)) {
                        let (taken, _) = tokio::sync::oneshot::channel();
                        let answer = Answer { node, item: step.item, token: None, reply };
                        return self.answer(Given { answer, taken }).await;
                    }
                    self.inner.awaiting.add(&self.key, &node, step.item, &question);
                    self.inner.asks(self.key.clone(), node.clone(), step.item, &question);
                    self.watchers.tell(|| Update::Asked { node, item: step.item, question });
                }
                Ok(())
            }
            Done::ChildEnded { step, attempt, result, took_us, ran } => {
                if ran {
                    // It ended at work, so that no time passed before this run went on.
                    self.inner.clock.rests();
                }
                self.children.remove(&step);
                self.ended(step, attempt, result, Course::took(took_us))
            }
            Done::TimeIsUp { step, attempt, guard } => {
                self.guards -= usize::from(guard);
                self.time_is_up(step, attempt)
            }
            Done::Ended { step, attempt, result, course } => {
                self.live.remove(&step);
                self.ended(step, attempt, result, course)
            }
        }
    }

    fn ended(
        &mut self,
        step: Step,
        attempt: u32,
        result: Result<Emission, Failure>,
        course: Course,
    ) -> Result<(), Lost> {
        if !self.state.wants_attempt(step, attempt) {
            // A pure attempt of a run that is failing or cancelling: its node never began, as far as anybody knows.
            return Ok(());
        }
        match result {
            Ok(emission) => self.succeeded(step, attempt, emission, course).map(drop),
            Err(failure)
                if failure.kind == FailureKind::Cancelled
                    && matches!(self.state.phase(), Phase::Cancelling | Phase::Failing(_)) =>
            {
                self.cancelled(step, attempt)
            }
            Err(failure) => self.failed(step, attempt, failure, course),
        }
    }

    fn time_is_up(&mut self, step: Step, attempt: u32) -> Result<(), Lost> {
        let wait = match self.state.step(step) {
            NodeState::Running { attempt: current, wait: Some(wait) } if *current == attempt => Some(wait.clone()),
            _ => None,
        };
        match wait {
            Some(Wait::Until { at }) => {
                let output = serde_json::json!({ "until": answer::rfc3339(at) });
                let Ok(port) = windflow_core::manifest::DEFAULT_PORT.parse() else { return Ok(()) };
                self.succeeded(step, attempt, Emission { port, output: Json::from(output) }, Course::default())
                    .map(drop)
            }
            Some(Wait::Answer(_)) => {
                let limit = self.prepared.plan.node(step.node).timeout.map(format_duration).unwrap_or_default();
                let failure = Failure::new(FailureKind::Timeout, format!("nobody answered within {limit}"));
                self.failed(step, attempt, failure, Course::default())
            }
            // The answer came in time, or nobody waits any more.
            Some(Wait::Child { .. }) | None => Ok(()),
        }
    }

    /// Takes an answer, or says why not. Whoever answered hears of it once it is durable.
    pub(super) async fn answer(&mut self, given: Given) -> Result<(), Lost> {
        let Given { answer, taken } = given;
        let verdict = match self.emission(&answer) {
            Ok((step, attempt, emission)) => {
                let position = self.succeeded(step, attempt, emission, Course::default())?;
                let sequence = self.sequence;
                // Where others are still asked, whoever answered hears that nothing more goes on.
                self.idle.send_if_modified(std::mem::take);
                self.inner.store.durable(position).await?;
                Ok(sequence)
            }
            Err(error) => Err(error),
        };
        // Somebody who is gone needs no word.
        let _ = taken.send(verdict);
        Ok(())
    }

    fn emission(&self, answer: &Answer) -> Result<(Step, u32, Emission), AnswerError> {
        let node = &answer.node;
        let Some(index) = self.prepared.plan.index(node) else {
            return Err(AnswerError::UnknownNode { run: self.key.run, node: node.clone() });
        };
        // Whoever has a token need not know which item asked.
        let by_token = |token: &String| {
            let mut questions = self.state.questions();
            questions.find(|(step, asked)| step.node == index && asked.token == *token).and_then(|(step, _)| step.item)
        };
        let item = answer.item.or_else(|| answer.token.as_ref().and_then(by_token));
        let step = Step { node: index, item };
        let Some((attempt, question)) = self.state.question(step) else {
            return Err(AnswerError::NotAsked { node: node.clone(), status: self.state.step(step).word() });
        };
        let emission = answer::emission(node, question, answer, self.inner.clock.now())?;
        Ok((step, attempt, emission))
    }

    fn succeeded(
        &mut self,
        step: Step,
        attempt: u32,
        emission: Emission,
        course: Course,
    ) -> Result<windflow_core::ports::store::Position, Lost> {
        let node = self.prepared.plan.node(step.node).id.clone();
        let (Emission { port, output }, Course { took_us, log }) = (emission, course);
        self.append(Event::AttemptSucceeded { node, item: step.item, attempt, port, output, took_us, log })
    }

    pub(super) fn cancelled(&mut self, step: Step, attempt: u32) -> Result<(), Lost> {
        let node = self.prepared.plan.node(step.node).id.clone();
        self.append(Event::AttemptCancelled { node, item: step.item, attempt }).map(drop)
    }

    pub(super) fn failed(&mut self, step: Step, attempt: u32, failure: Failure, course: Course) -> Result<(), Lost> {
        let Course { took_us, log } = course;
        let prepared = self.prepared.clone();
        let node = prepared.plan.node(step.node);
        let wait = retry::wait(node.retry.as_ref(), attempt, &failure, self.inner.clock.chance());
        let going_on = matches!(self.state.phase(), Phase::Running | Phase::Compensating { .. });
        let retry_at = wait.filter(|_| going_on).map(|wait| {
            let wait = milliseconds(wait);
            Timestamp(self.inner.clock.now().0.saturating_add(wait))
        });
        let (node, item) = (node.id.clone(), step.item);
        self.append(Event::AttemptFailed { node, item, attempt, failure, retry_at, took_us, log }).map(drop)
    }

    pub(super) fn finish(&mut self, status: EndStatus) -> Result<(), Lost> {
        let (status, outputs, failure) = match status {
            EndStatus::Succeeded => match scope::outputs(&self.key, &self.prepared, &self.state) {
                Ok(outputs) => (status, Some(Json::from(outputs)), None),
                Err(failure) => (EndStatus::Failed, None, Some(RunFailure { node: None, failure })),
            },
            EndStatus::Failed => match self.state.phase() {
                Phase::Failing(failure) | Phase::Compensating { cause: Cause::Failed(failure), .. } => {
                    (status, None, Some(failure.clone()))
                }
                _ => (status, None, None),
            },
            EndStatus::Cancelled => (status, None, None),
        };
        let failed = |by| matches!(self.state.node(by).state, NodeState::Failed(_));
        let nodes = self.prepared.plan.nodes().filter(|(_, node)| node.compensate.is_some_and(failed));
        let uncompensated = nodes.map(|(_, node)| node.id.clone()).collect();
        self.append(Event::RunFinished { status, outputs, failure, uncompensated }).map(drop)
    }
}
