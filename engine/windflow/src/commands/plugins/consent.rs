//! What somebody reads before a plugin is installed, and whether they agree.

use std::io::{BufRead, IsTerminal, Write};

use console::style;
use windflow_core::manifest::Text;
use windflow_core::ports::plugins::{PluginBefore, PluginPreview};

use crate::exit::invalid;
use crate::installed::{Source, squatting};
use crate::render;

/// Everything that somebody has to know, in plain words.
pub(crate) fn describe(preview: &PluginPreview, source: &Source) -> String {
    let nodes: Vec<String> = preview.node_types.iter().map(|node| node.uses.to_string()).collect();
    let mut lines = vec![
        format!("{} {}", style(line(&preview.name)).bold().for_stderr(), preview.version),
        format!("  {}", line(preview.description.get("en"))),
        String::new(),
        format!("  from        {source}"),
        format!("  digest      {}", preview.digest),
        format!("  size        {}", render::bytes(preview.size)),
        format!("  licence     {}", preview.license.as_deref().map_or_else(|| "none is named".into(), line)),
        format!("  node types  {}", nodes.join(", ")),
        format!("  may touch   {}", preview.reach.get("en")),
    ];
    // A wide pattern is more than it looks.
    if preview.any_host {
        lines.push(
            "              It names no hosts of its own: it reaches those that a workflow's `permissions: http:` name."
                .into(),
        );
    }
    let alike = preview.alike.iter().map(squatting::alike_told);
    lines.extend(alike.map(|text| format!("\n  {} {}", style("look twice:").yellow().for_stderr(), line(&text))));
    if let Some(before) = &preview.before {
        lines.push(String::new());
        lines.extend(changes(before, preview));
    }
    lines.join("\n")
}

/// What is new against the version before.
fn changes(before: &PluginBefore, preview: &PluginPreview) -> Vec<String> {
    let what = match (before.stays, preview.version.cmp_precedence(&before.version)) {
        (true, _) => {
            format!("  {} {} stays beside it. Compared with that one it", line(&preview.name), before.version)
        }
        (_, std::cmp::Ordering::Less) => format!("  It goes back from version {}, and", before.version),
        (_, std::cmp::Ordering::Equal) => {
            format!("  It takes the place of another build of version {}, and", before.version)
        }
        (_, std::cmp::Ordering::Greater) => format!("  It takes the place of version {}, and", before.version),
    };
    let PluginBefore { more, less, gone, .. } = before;
    let mut lines = Vec::new();
    let english = |text: &Text| text.get("en").to_owned();
    if more.is_empty() && less.is_empty() {
        lines.push(format!("{what} may touch the same."));
    }
    if !more.is_empty() {
        lines.push(format!("{what} may do {}:", style("more").red().bold().for_stderr()));
        lines.extend(more.iter().map(|text| format!("    {} {}", style("+").red().for_stderr(), english(text))));
    }
    if !less.is_empty() {
        lines.push(if lines.is_empty() { format!("{what} may do less:") } else { "  It may no longer:".into() });
        lines.extend(less.iter().map(|text| format!("    {} {}", style("-").green().for_stderr(), english(text))));
    }
    if !gone.is_empty() {
        let gone: Vec<String> = gone.iter().map(ToString::to_string).collect();
        lines.push(format!("  It offers no more: {}", gone.join(", ")));
    }
    lines.extend(stopped(before));
    lines
}

/// Workflows that could not be started any more.
fn stopped(before: &PluginBefore) -> Vec<String> {
    if !before.stops_workflows() {
        return Vec::new();
    }
    let stop = style("stop").red().bold().for_stderr();
    let mut lines = vec![format!("  Workflows that are on would {stop}, since they do not fit it:")];
    for unfit in &before.unfit {
        lines.push(format!("    {} {}", style("!").red().for_stderr(), line(&unfit.workflow)));
        for problem in &unfit.problems {
            let remedy = problem.remedy.as_deref().map(|remedy| format!("; {remedy}")).unwrap_or_default();
            let text = format!("{}:{} {}{remedy}", problem.line, problem.column, problem.message);
            lines.push(format!("        {}", line(&text)));
        }
    }
    if before.unfit_more > 0 {
        lines.push(format!("    {} {} more", style("!").red().for_stderr(), before.unfit_more));
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
pub(crate) fn ask(shown: &str, yes: bool) -> anyhow::Result<()> {
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
