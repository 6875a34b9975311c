//! The rules of `docs/semantics.md` that need processes, a disk or a network: a table of folders, each with files and a list of steps that are
//! done with the binary as users do them. Adding a rule is adding a folder, and its line below.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests fail by panicking, too")]

mod common;

#[path = "serve/serving.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod serving;
#[path = "scenarios_support/steps.rs"]
mod steps;

use std::collections::BTreeSet;
use std::path::Path;

macro_rules! scenarios {
    ($($name:ident)*) => {
        $(
            #[test]
            fn $name() {
                steps::play(stringify!($name));
            }
        )*

        #[test]
        fn every_folder_is_played() {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
            let there: BTreeSet<String> = std::fs::read_dir(folder)
                .unwrap()
                .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
                .collect();
            let played: BTreeSet<String> = [$(stringify!($name).to_owned()),*].into();
            assert_eq!(there, played);
        }
    };
}

scenarios! {
    a_cancelled_run_that_could_not_be_undone_is_a_dead_letter
    a_disk_that_is_full_acknowledges_nothing
    a_disk_that_only_reads_is_told
    a_full_disk_acknowledges_nothing_until_there_is_room
    a_large_value_is_kept_once
    a_newer_store_is_refused_and_left
    a_rerun_has_none_of_the_files
    a_rerun_takes_over_all_that_share_files
    a_run_that_ends_the_process_is_left_alone
    a_run_that_failed_is_a_dead_letter
    a_server_that_is_away_is_left_alone
    a_server_that_was_left_alone_is_tried_again
    a_sync_that_fails_acknowledges_nothing
    a_system_reports_back_at_the_address
    an_answer_of_any_status_is_an_answer
    an_older_store_is_brought_up
    changed_pages_are_refused
    files_are_as_they_were_where_a_write_fails
    files_are_those_of_one_run
    files_go_with_the_run
    files_survive_a_crash
    old_runs_go_and_unfinished_ones_stay
    the_store_gives_back_what_it_does_not_need
}
