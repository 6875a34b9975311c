//! What somebody reads before a plugin is installed, and whether they agree.

use std::io::{BufRead, IsTerminal, Write};

use console::style;
use windflow_core::capability::HttpPattern;
use windflow_core::manifest::{Difference, Text, difference, reach};
use windflow_package::Package;

use super::fetch::Fetched;
use crate::exit::invalid;
use crate::installed::Entry;
use crate::render;

/// Everything that somebody has to know, in plain words.
pub(super) fn describe(fetched: &Fetched, before: Option<&Entry>, alike: &[String]) -> String {
    let Fetched { package, bytes, source } = fetched;
    let plugin = &package.manifest.plugin;
    let nodes: Vec<String> =
        package.manifest.nodes.keys().map(|node| format!("{node}@{}", plugin.version.major)).collect();
    let mut lines = vec![
        format!("{} {}", style(&plugin.name).bold().for_stderr(), plugin.version),
        format!("  {}", line(plugin.description.get("en"))),
        String::new(),
        format!("  from        {source}"),
        format!("  digest      {}", package.digest),
        format!("  size        {}", render::bytes(bytes.len() as u64)),
        format!("  licence     {}", plugin.license.as_deref().map_or_else(|| "none is named".into(), line)),
        format!("  node types  {}", nodes.join(", ")),
        format!("  may touch   {}", reach(&package.manifest.capabilities, package.pure).get("en")),
    ];
    lines.extend(hosts(package));
    lines.extend(alike.iter().map(|text| format!("\n  {} {text}", style("look twice:").yellow().for_stderr())));
    if let Some(before) = before {
        lines.push(String::new());
        lines.extend(changes(before, package));
    }
    lines.join("\n")
}

/// A wide pattern is more than it looks.
fn hosts(package: &Package) -> Option<String> {
    let asked = &package.manifest.capabilities.http;
    let wide = !package.pure && asked.iter().any(HttpPattern::is_anything);
    wide.then(|| {
        "              It names no hosts of its own: it reaches those that a workflow's `permissions: http:` name."
            .into()
    })
}

/// What is new against the version before.
fn changes(before: &Entry, package: &Package) -> Vec<String> {
    let plugin = &package.manifest.plugin;
    let kept = before.version.major != plugin.version.major;
    let what = match (kept, plugin.version.cmp_precedence(&before.version)) {
        (true, _) => format!("  {} {} stays beside it. Compared with that one it", before.name, before.version),
        (_, std::cmp::Ordering::Less) => format!("  It goes back from version {}, and", before.version),
        (_, std::cmp::Ordering::Equal) => {
            format!("  It takes the place of another build of version {}, and", before.version)
        }
        (_, std::cmp::Ordering::Greater) => format!("  It takes the place of version {}, and", before.version),
    };
    let now = (&package.manifest.capabilities, package.pure);
    let Difference { more, less } = difference((&before.capabilities, before.pure), now);
    if more.is_empty() && less.is_empty() {
        return vec![format!("{what} may touch the same.")];
    }
    let mut lines = Vec::new();
    let english = |text: &Text| text.get("en").to_owned();
    if !more.is_empty() {
        lines.push(format!("{what} may do {}:", style("more").red().bold().for_stderr()));
        lines.extend(more.iter().map(|text| format!("    {} {}", style("+").red().for_stderr(), english(text))));
    }
    if !less.is_empty() {
        lines.push(if lines.is_empty() { format!("{what} may do less:") } else { "  It may no longer:".into() });
        lines.extend(less.iter().map(|text| format!("    {} {}", style("-").green().for_stderr(), english(text))));
    }
    lines
}

/// Texts of strangers on one line, without anything that a terminal would obey.
fn line(text: &str) -> String {
    let plain: String = text.chars().map(|character| if character.is_control() { ' ' } else { character }).collect();
    render::shorten(plain.trim(), 200)
}

/// Shows it and asks, on a terminal. Where nobody can be asked, somebody has to have said so.
///
/// # Errors
/// Where nobody agreed.
pub(super) fn ask(shown: &str, yes: bool) -> anyhow::Result<()> {
    render::line(shown);
    if yes {
        return Ok(());
    }
    if !std::io::stdin().is_terminal() || !console::user_attended_stderr() {
        return Err(invalid(
            "nothing was installed, since nobody can be asked here: read the above, and agree with --yes",
        ));
    }
    let mut stderr = std::io::stderr().lock();
    write!(stderr, "\nInstall it? [y/N] ")?;
    stderr.flush()?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    if matches!(answer.trim(), "y" | "Y" | "yes") { Ok(()) } else { Err(invalid("nothing was installed")) }
}
