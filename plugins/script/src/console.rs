//! `console`: what the code prints goes into the log of the node run.

use boa_engine::object::ObjectInitializer;
use boa_engine::property::Attribute;
use boa_engine::{Context, JsResult, JsString, JsValue, NativeFunction, js_string};
use windflow_sdk::log::{Level, log};

/// Makes `console` known.
pub(crate) fn install(context: &mut Context) -> JsResult<()> {
    let console = ObjectInitializer::new(context)
        .function(NativeFunction::from_fn_ptr(debug), js_string!("debug"), 0)
        .function(NativeFunction::from_fn_ptr(info), js_string!("log"), 0)
        .function(NativeFunction::from_fn_ptr(info), js_string!("info"), 0)
        .function(NativeFunction::from_fn_ptr(warn), js_string!("warn"), 0)
        .function(NativeFunction::from_fn_ptr(error), js_string!("error"), 0)
        .build();
    context.register_global_property(js_string!("console"), console, Attribute::WRITABLE | Attribute::CONFIGURABLE)
}

fn debug(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    line(Level::Debug, arguments, context)
}

fn info(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    line(Level::Info, arguments, context)
}

fn warn(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    line(Level::Warn, arguments, context)
}

fn error(_: &JsValue, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    line(Level::Error, arguments, context)
}

/// Texts as they are, everything else as JSON where it has a form in JSON.
fn line(level: Level, arguments: &[JsValue], context: &mut Context) -> JsResult<JsValue> {
    let mut words = Vec::with_capacity(arguments.len());
    for argument in arguments {
        let text = match argument.as_string() {
            Some(text) => text.to_std_string_lossy(),
            None if argument.is_object() => match argument.to_json(context) {
                Ok(Some(json)) => json.to_string(),
                _ => argument.display().to_string(),
            },
            None => argument.to_string(context).map_or_else(|_| argument.display().to_string(), text_of),
        };
        words.push(text);
    }
    log(level, &words.join(" "));
    Ok(JsValue::undefined())
}

#[allow(clippy::needless_pass_by_value, reason = "for `map_or_else`")]
fn text_of(text: JsString) -> String {
    text.to_std_string_lossy()
}
