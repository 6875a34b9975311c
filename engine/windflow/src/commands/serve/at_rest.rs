//! What only the start needed is given back.
//!
//! A start runs through much code once: the command line, settings, schemas, the routes. For every page that is touched Linux maps the 15 around it,
//! too, and all of them count as this process's for as long as it lives, though nothing runs them again. They are unmapped: the kernel may
//! keep them in its cache, and brings back those that are run without reading the disk.

use std::ffi::c_void;
use std::io;
use std::ops::Range;
use std::path::Path;
use std::time::Duration;

use rustix::mm::{Advice, madvise};

/// The first requests come right after the start, and need some of the same code.
const SETTLED_AFTER: Duration = Duration::from_secs(3);

/// Unmaps the program's own code, once the start is over. That it cannot be done is no reason not to serve.
pub(super) async fn settle() {
    tokio::time::sleep(SETTLED_AFTER).await;
    if let Err(error) = unmap_own_code() {
        tracing::debug!(%error, "the code that only the start needed stays mapped");
    }
}

#[expect(unsafe_code, reason = "a mapping of this process is changed")]
fn unmap_own_code() -> io::Result<()> {
    let maps = std::fs::read_to_string("/proc/self/maps")?;
    for code in code_of(&maps, &std::fs::read_link("/proc/self/exe")?) {
        // SAFETY: the range is code of the program's file, mapped private and not writable, so nobody has changed a byte of it: what is
        // read or run there next comes from the file as it did before.
        unsafe { madvise(code.start as *mut c_void, code.len(), Advice::LinuxDontNeed) }?;
    }
    Ok(())
}

/// Where the code of a program is mapped, of the lines of `/proc/PID/maps` (proc_pid_maps(5)). Only what may be run and not be written: data that
/// the loader has changed would come back as it is in the file.
fn code_of(maps: &str, program: &Path) -> Vec<Range<usize>> {
    let code = |line: &str| {
        let (mut fields, path) = (line.split_ascii_whitespace(), line.find('/').map(|at| &line[at..])?);
        let (start, end) = fields.next()?.split_once('-')?;
        let ours = fields.next() == Some("r-xp") && Path::new(path) == program;
        ours.then_some(usize::from_str_radix(start, 16).ok()?..usize::from_str_radix(end, 16).ok()?)
    };
    maps.lines().filter_map(code).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_programs_own_code_is_given_back() {
        let maps = "559c00000000-559c01cf0000 r--p 00000000 fe:00 12 /usr/local/bin/wind flow\n\
                    559c01cf0000-559c02000000 r-xp 01cee000 fe:00 12 /usr/local/bin/wind flow\n\
                    559c02000000-559c02100000 r--p 039ee000 fe:00 12 /usr/local/bin/wind flow\n\
                    559c02100000-559c02200000 rw-p 03bca000 fe:00 12 /usr/local/bin/wind flow\n\
                    7ffb5e800000-7ffb5f800000 r-xp 00000000 00:00 0\n\
                    7ffb60000000-7ffb60100000 r-xp 00026000 fe:00 13 /usr/lib/libc.so.6\n";
        let code = 0x559c_01cf_0000..0x559c_0200_0000;
        assert_eq!(code_of(maps, Path::new("/usr/local/bin/wind flow")), vec![code]);
        assert!(code_of(maps, Path::new("/usr/local/bin/windflow")).is_empty());
    }

    #[test]
    fn a_program_goes_on_without_its_code_being_mapped() {
        unmap_own_code().expect("code can be given back");
        let maps = std::fs::read_to_string("/proc/self/maps").expect("what is mapped");
        assert!(!code_of(&maps, &std::env::current_exe().expect("a path")).is_empty(), "{maps}");
    }
}
