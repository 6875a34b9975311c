//! What `ssh` says, as an error that people can act on.

use std::collections::VecDeque;

use windflow_stacks::driver::DriverError;

/// Lines that are kept, and bytes of one, at most.
const LINES: usize = 20;
const LINE: usize = 1000;

/// What an `ssh` has said so far.
pub(super) struct Heard {
    host: String,
    /// Whether the target says which keys the server may have.
    pinned: bool,
    pending: Vec<u8>,
    lines: VecDeque<String>,
    fingerprint: Option<String>,
    signed_in: bool,
}

impl Heard {
    pub(super) fn new(host: &str, pinned: bool) -> Self {
        let (pending, lines) = (Vec::new(), VecDeque::new());
        Self { host: host.to_owned(), pinned, pending, lines, fingerprint: None, signed_in: false }
    }

    /// Whether the server has let us in.
    pub(super) fn is_in(&self) -> bool {
        self.signed_in
    }

    pub(super) fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if *byte == b'\n' || self.pending.len() >= LINE {
                let line = String::from_utf8_lossy(&std::mem::take(&mut self.pending)).trim().to_owned();
                self.line(line);
            }
            if *byte != b'\n' {
                self.pending.push(*byte);
            }
        }
    }

    fn line(&mut self, line: String) {
        if let Some(key) = line.strip_prefix("debug1: Server host key: ") {
            self.fingerprint = Some(key.to_owned());
        }
        // Only before the server has let us in: afterwards lines come from the machine.
        self.signed_in |= line.starts_with("Authenticated to ");
        let noise = [
            "debug1:",
            "OpenSSH_",
            "Authenticated to ",
            "Transferred: ",
            "Bytes per second: ",
            "Warning: Permanently added",
        ];
        if line.is_empty() || noise.iter().any(|begins| line.starts_with(begins)) {
            return;
        }
        if self.lines.len() == LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }

    /// Why it ended, which it did with this status.
    pub(super) fn reason(mut self, code: Option<i32>) -> DriverError {
        let last = String::from_utf8_lossy(&std::mem::take(&mut self.pending)).trim().to_owned();
        self.line(last);
        if self.signed_in { self.behind(code) } else { self.before() }
    }

    fn says(&self, words: &str) -> bool {
        self.lines.iter().any(|line| line.contains(words))
    }

    /// The last thing that it said.
    fn last(&self) -> &str {
        self.lines.back().map_or("it ended without a word", String::as_str)
    }

    /// The server has not let us in.
    fn before(&self) -> DriverError {
        let host = &self.host;
        let key = self.fingerprint.as_deref().unwrap_or("a key");
        if self.says("REMOTE HOST IDENTIFICATION HAS CHANGED")
            || self.pinned && self.says("Host key verification failed")
        {
            let message = format!("the SSH server of {host} shows another key than the one that is known: {key}");
            return DriverError::new("ssh_host_key_changed", message).remedy(
                "somebody else may answer in its place; where the machine has got a new key, give the target that one",
            );
        }
        if self.says("Host key verification failed") || self.says("host key is known for") {
            let message = format!("the key of the SSH server of {host} is not known: {key}");
            return DriverError::new("ssh_host_key_unknown", message).remedy(
                "compare it on the machine (`ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub`), then give the key to the target",
            );
        }
        let unfit = ["Load key ", "UNPROTECTED PRIVATE KEY", "no such identity", "not accessible"];
        if let Some(line) = self.lines.iter().find(|line| unfit.iter().any(|words| line.contains(words))) {
            // Where our own key stands is nobody's business.
            let why = line.rsplit_once("\": ").map_or(line.as_str(), |(_, why)| why);
            let message = format!("the key for SSH cannot be used: {why}");
            return DriverError::new("ssh_key", message)
                .remedy("give a private key of OpenSSH without a passphrase, as text that begins with -----BEGIN");
        }
        if self.says("Permission denied") || self.says("Too many authentication failures") {
            let message = format!("the SSH server of {host} does not let us in with our key");
            return DriverError::new("ssh_refused", message).remedy(
                "add the public half of the key to ~/.ssh/authorized_keys of that account; is the account right?",
            );
        }
        if self.says("Could not resolve hostname")
            || self.says("Connection refused")
            || self.says("timed out")
            || self.says("No route")
        {
            let message = format!("the SSH server of {host} is not reached: {}", self.last());
            return DriverError::new("unreachable", message)
                .remedy("does an SSH server listen there? Are host and port right?")
                .may_help();
        }
        let message = format!("there is no SSH session with {host}: {}", self.last());
        DriverError::new("ssh_failed", message).remedy("does an SSH server listen there? Try `ssh` by hand").may_help()
    }

    /// The machine let us in, and its `docker` does not lead to an engine.
    fn behind(&self, code: Option<i32>) -> DriverError {
        let host = &self.host;
        if code == Some(127) || self.says("command not found") || self.says("docker: not found") {
            let message = format!("SSH reaches {host}, and there is no `docker` for that account: {}", self.last());
            return DriverError::new("ssh_no_docker", message)
                .remedy("install Docker there; its command has to be in the PATH that commands over SSH have");
        }
        let message = format!("SSH reaches {host}, and its `docker` no engine: {}", self.last());
        let remedy = if self.says("permission denied") {
            "may that account use the socket? Is it in the group `docker`?"
        } else {
            "does the engine run on that machine, and does `docker version` work for that account?"
        };
        DriverError::new("ssh_no_engine", message).remedy(remedy).may_help()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(pinned: bool, code: i32, text: &str, expect: (&str, &str)) {
        let mut heard = Heard::new("edge", pinned);
        // However it comes.
        text.as_bytes().chunks(7).for_each(|chunk| heard.take(chunk));
        let error = heard.reason(Some(code));
        assert_eq!(error.code, expect.0, "{error:?}");
        assert!(error.message.contains(expect.1), "{error:?}");
        assert!(error.remedy.is_some());
    }

    #[test]
    fn what_ssh_says_gets_a_code() {
        let key = "OpenSSH_9.2p1 Debian\r\ndebug1: Server host key: ssh-ed25519 SHA256:abc\r\n";
        let unknown = "No ED25519 host key is known for edge and you have requested strict checking.\r\nHost key verification failed.\r\n";
        check(false, 255, &format!("{key}{unknown}"), ("ssh_host_key_unknown", "ssh-ed25519 SHA256:abc"));
        check(true, 255, &format!("{key}{unknown}"), ("ssh_host_key_changed", "SHA256:abc"));
        let changed = "@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\r\nHost key verification failed.\r\n";
        check(false, 255, &format!("{key}{changed}"), ("ssh_host_key_changed", "SHA256:abc"));
        check(false, 255, "root@edge: Permission denied (publickey).", ("ssh_refused", "edge"));
        let locked = "Load key \"/proc/1/fd/9\": incorrect passphrase supplied to decrypt private key\r\nroot@edge: Permission denied (publickey).\r\n";
        check(false, 255, locked, ("ssh_key", "incorrect passphrase"));
        check(false, 255, "ssh: connect to host edge port 22: Connection refused\r\n", ("unreachable", "refused"));
        check(false, 255, "kex_exchange_identification: read: Connection reset by peer\n", ("ssh_failed", "reset"));
        let inside = "Authenticated to edge ([10.0.0.1]:22) using \"publickey\".\r\n";
        check(false, 127, &format!("{inside}sh: 1: docker: not found\n"), ("ssh_no_docker", "not found"));
        let gone = "failed to open the raw stream connection: dial unix /run/docker.sock: connect: no such file or directory\n";
        check(
            false,
            1,
            &format!("{inside}{gone}Transferred: sent 3532, received 3412 bytes\r\n"),
            ("ssh_no_engine", "no such file"),
        );
        check(false, 1, inside, ("ssh_no_engine", "without a word"));
    }

    #[test]
    fn what_a_server_says_is_bounded() {
        let mut heard = Heard::new("edge", false);
        (0..1000).for_each(|_| heard.take(&[b'x'; 4096]));
        assert!(heard.lines.len() <= LINES && heard.lines.iter().all(|line| line.len() <= LINE));
        assert!(heard.pending.len() <= LINE);
    }
}
