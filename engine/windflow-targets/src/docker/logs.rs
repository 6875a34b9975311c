//! What containers write.

use bollard::container::LogOutput;
use bollard::query_parameters::LogsOptionsBuilder;
use futures::StreamExt;
use futures::stream::SelectAll;
use windflow_stacks::driver::{Lines, LogLine, LogQuery, Result};

use super::{DockerTarget, errors};

/// Longest line that is handed on; the rest is cut off.
const MAX_LINE: usize = 16 << 10;

pub(super) async fn logs(target: &DockerTarget, stack: &str, query: &LogQuery, lines: Lines<'_>) -> Result<()> {
    let seen = target.seen(stack).await?;
    seen.known(stack, &query.services)?;
    let own =
        seen.containers.iter().filter(|found| query.services.is_empty() || query.services.contains(&found.service));
    let mut all = SelectAll::new();
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0, |time| time.as_secs());
    for found in own {
        let tail = query.tail.map_or_else(|| "all".to_owned(), |tail| tail.to_string());
        let since =
            query.since_seconds.map_or(0, |seconds| i32::try_from(now.saturating_sub(seconds.into())).unwrap_or(0));
        let options = LogsOptionsBuilder::default()
            .stdout(true)
            .stderr(true)
            .timestamps(true)
            .tail(&tail)
            .since(since)
            .follow(query.follow)
            .build();
        let (service, number) = (found.service.clone(), found.number);
        all.push(target.docker.logs(&found.id, Some(options)).map(move |part| (service.clone(), number, part)).boxed());
    }
    while let Some((service, number, part)) = all.next().await {
        let part = part.map_err(|error| errors::of(&error))?;
        let stderr = matches!(part, LogOutput::StdErr { .. });
        let part = part.to_string();
        for line in part.lines() {
            let (at, text) = line.split_once(' ').unwrap_or((line, ""));
            let text = text.char_indices().nth(MAX_LINE).map_or(text, |(end, _)| &text[..end]).to_owned();
            if !lines(LogLine { service: service.clone(), number, at: at.to_owned(), stderr, text }).await {
                return Ok(());
            }
        }
    }
    Ok(())
}
