//! The engine of JavaScript, as it is before any code has run.

use std::rc::Rc;

use boa_engine::builtins::promise::PromiseState;
use boa_engine::context::HostHooks;
use boa_engine::context::time::{Clock, JsInstant};
use boa_engine::object::builtins::{JsFunction, JsPromise};
use boa_engine::{Context, JsResult, JsString, JsValue, Source, js_string};
use windflow_sdk::NodeError;

use crate::{console, failure};

/// How deep functions may call each other: what fits the stack of the sandbox.
const RECURSION: usize = 400;

/// An engine, and the functions of it that code could replace.
pub(crate) struct Engine {
    context: Context,
    parse: JsFunction,
    stringify: JsFunction,
}

/// No time passes: a node without capabilities has no clock.
struct NoTime;

impl Clock for NoTime {
    fn now(&self) -> JsInstant {
        JsInstant::new(0, 0)
    }

    fn system_time_millis(&self) -> i64 {
        0
    }
}

struct Hooks;

impl HostHooks for Hooks {
    fn utc_now(&self) -> i64 {
        0
    }

    fn local_timezone_offset_seconds(&self, _unix_time_seconds: i64) -> i32 {
        0
    }
}

impl Engine {
    fn new() -> Result<Self, NodeError> {
        Self::made().map_err(|error| NodeError::new("script_engine", format!("the engine does not start: {error}")))
    }

    fn made() -> JsResult<Self> {
        let mut context = Context::builder().clock(Rc::new(NoTime)).host_hooks(Rc::new(Hooks)).build()?;
        context.runtime_limits_mut().set_recursion_limit(RECURSION);
        console::install(&mut context)?;
        let json = context.intrinsics().objects().json();
        let mut function = |name: JsString| -> JsResult<JsFunction> {
            let found = json.get(name, &mut context)?;
            found.as_function().ok_or_else(|| boa_engine::JsNativeError::typ().into())
        };
        let (parse, stringify) = (function(js_string!("parse"))?, function(js_string!("stringify"))?);
        Ok(Self { context, parse, stringify })
    }

    /// Runs code on two texts of JSON and gives a third.
    pub(crate) fn run(&mut self, code: &str, input: &str, values: &str) -> Result<String, NodeError> {
        let function = self.function(code)?;
        self.call(&function, input, values).map_err(|error| failure::thrown(&error.to_string(), code))
    }

    /// One expression, or else the body of a function.
    fn function(&mut self, code: &str) -> Result<JsValue, NodeError> {
        let alone = code.trim_end().trim_end_matches(';');
        let as_expression = format!("(function (input, values) {{ 'use strict'; return (\n{alone}\n) }})");
        let expression = self.context.eval(Source::from_bytes(&as_expression).with_path(failure::NAME.as_ref()));
        if let Ok(function) = expression {
            return Ok(function);
        }
        let as_body = format!("(function (input, values) {{ 'use strict';\n{code}\n}})");
        let body = self.context.eval(Source::from_bytes(&as_body).with_path(failure::NAME.as_ref()));
        body.map_err(|error| failure::syntax(&error.to_string(), code))
    }

    fn call(&mut self, function: &JsValue, input: &str, values: &str) -> JsResult<String> {
        let context = &mut self.context;
        let nothing = JsValue::undefined();
        let mut parsed = |text: &str| self.parse.call(&nothing, &[JsString::from(text).into()], context);
        let arguments = [parsed(input)?, parsed(values)?];
        let function = function.as_function().ok_or_else(boa_engine::JsNativeError::typ)?;
        let mut output = function.call(&nothing, &arguments, context)?;
        // `(input) => …` is as good a way to write it.
        if let Some(function) = output.as_function() {
            output = function.call(&nothing, &arguments, context)?;
        }
        context.run_jobs()?;
        if let Some(promise) = output.as_object().and_then(|object| JsPromise::from_object(object).ok()) {
            output = match promise.state() {
                PromiseState::Fulfilled(value) => value,
                PromiseState::Rejected(why) => return Err(boa_engine::JsError::from_opaque(why)),
                PromiseState::Pending => {
                    let why = "the code returned a promise that nothing will ever fulfil: there are no timers and no requests here";
                    return Err(boa_engine::JsNativeError::typ().with_message(why).into());
                }
            };
        }
        let text = self.stringify.call(&nothing, &[output], context)?;
        Ok(text.as_string().map_or_else(|| "null".to_owned(), |text| text.to_std_string_lossy()))
    }
}

mod snapshot {
    use std::cell::RefCell;

    use super::{Engine, NodeError};

    thread_local! {
        static PREPARED: RefCell<Option<Engine>> = const { RefCell::new(None) };
    }

    /// Called once when the plugin is packed: the package begins where this ends. Making an engine takes longer than most
    /// code that it runs.
    #[unsafe(export_name = "wizer-initialize")]
    extern "C" fn prepare() {
        PREPARED.set(Engine::new().ok());
        // Room for what code needs, so that small code need not grow the memory.
        drop(std::hint::black_box(Vec::<u8>::with_capacity(384 << 10)));
    }

    impl Engine {
        /// The one of the package.
        pub(crate) fn prepared() -> Result<Self, NodeError> {
            PREPARED.take().map_or_else(Self::new, Ok)
        }
    }
}
