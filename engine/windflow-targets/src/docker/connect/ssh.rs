//! Engines behind an SSH server: a process `ssh` for each connection, whose standard input and output are the engine's socket.
//!
//! The machine's own `ssh` is used, so that what its account is configured for (names, jump hosts, hardware keys) works. Whatever that says,
//! only a machine whose key is known is spoken to, nothing is forwarded, nobody is asked anything, and a process ends with its connection.

use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinHandle;
use windflow_stacks::driver::{DriverError, Result};
use windflow_stacks::target::Credentials;

use self::heard::Heard;
use super::Place;
use super::handed::Handed;

mod heard;
mod host_keys;

/// Sign-ins to one machine at the same time: SSH servers drop connections when too many have not signed in yet.
const SIGN_INS: usize = 3;

/// How long `ssh` may take to reach a server: less than we wait, so that its own reason is told.
const CONNECT_SECONDS: u32 = 8;

/// How long an `ssh` that says nothing more may take to end.
const END: Duration = Duration::from_secs(2);

/// Where an SSH server is.
pub(super) struct Machine {
    user: Option<String>,
    host: String,
    port: Option<u16>,
}

impl Machine {
    /// Reads `user@host:port`.
    pub(super) fn parse(text: &str) -> std::result::Result<Self, &'static str> {
        let (user, place) = text.rsplit_once('@').map_or((None, text), |(user, place)| (Some(user), place));
        if user.is_some_and(|user| user.is_empty() || user.starts_with('-')) {
            return Err("its user is none");
        }
        let Place { host, port } = Place::parse(place)?;
        Ok(Self { user: user.map(str::to_owned), host, port })
    }
}

/// How an engine behind an SSH server is reached.
pub(in crate::docker) struct Way {
    machine: Machine,
    /// The path of a key of this machine, or a key that is kept.
    key: Option<Key>,
    /// The keys that the server may have; none: those that the account of this process knows.
    known: Option<Handed>,
    turns: Arc<Semaphore>,
}

enum Key {
    Path(String),
    Kept(Handed),
}

impl Way {
    pub(super) fn new(machine: Machine, credentials: &Credentials) -> Result<Self> {
        let cannot = |error: io::Error| {
            DriverError::new("ssh_key", format!("the key cannot be handed to `ssh`: {error}")).may_help()
        };
        let key = match (&credentials.ssh_private_key, &credentials.ssh_key) {
            // What was pasted may have the line ends of another system, or none at its end, which `ssh` does not read.
            (Some(text), _) => {
                Some(Key::Kept(Handed::new(&format!("{}\n", text.trim().replace("\r\n", "\n"))).map_err(cannot)?))
            }
            (None, Some(path)) => Some(Key::Path(path.clone())),
            (None, None) => None,
        };
        let known = credentials.ssh_host_keys.as_deref().map(host_keys::known).transpose()?;
        let known = known.map(|text| Handed::new(&text).map_err(cannot)).transpose()?;
        Ok(Self { machine, key, known, turns: Arc::new(Semaphore::new(SIGN_INS)) })
    }

    fn command(&self) -> Command {
        let mut command = Command::new("ssh");
        // Its own account of what goes on is how we know the server's key, and when it has let us in.
        command.args(["-T", "-v"]);
        let mut set = |option: &str| {
            command.args(["-o", option]);
        };
        set("BatchMode=yes");
        set("StrictHostKeyChecking=yes");
        set("UpdateHostKeys=no");
        set("ForwardAgent=no");
        set("ForwardX11=no");
        set("ClearAllForwardings=yes");
        set("PermitLocalCommand=no");
        set("ControlMaster=no");
        set("ControlPath=none");
        set("RemoteCommand=none");
        set("RequestTTY=no");
        set(&format!("ConnectTimeout={CONNECT_SECONDS}"));
        set("ConnectionAttempts=1");
        // A machine that is gone without a word is noticed within a minute.
        set("ServerAliveInterval=15");
        set("ServerAliveCountMax=3");
        if let Some(known) = &self.known {
            set(&format!("UserKnownHostsFile={}", known.path().display()));
            set("GlobalKnownHostsFile=/dev/null");
            set("VerifyHostKeyDNS=no");
            set(&format!("HostKeyAlias={}", host_keys::ALIAS));
        }
        if self.key.is_some() {
            set("IdentitiesOnly=yes");
            set("IdentityAgent=none");
        }
        match &self.key {
            Some(Key::Path(path)) => _ = command.arg("-i").arg(path),
            Some(Key::Kept(key)) => _ = command.arg("-i").arg(key.path()),
            None => {}
        }
        if let Some(port) = self.machine.port {
            command.args(["-p", &port.to_string()]);
        }
        if let Some(user) = &self.machine.user {
            command.args(["-l", user]);
        }
        command.args(["--", &self.machine.host, "docker", "system", "dial-stdio"]);
        command
    }

    /// Begins a connection. Whether it comes about is told by what is read from it.
    pub(super) async fn dial(&self) -> io::Result<Session> {
        let turn = Arc::clone(&self.turns).acquire_owned().await.map_err(io::Error::other)?;
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut child = command.spawn().map_err(|error| no_ssh(&error))?;
        let (Some(stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(io::Error::other("`ssh` has no standard input or output"));
        };
        let heard = Heard::new(&self.machine.host, self.known.is_some());
        let ended = Some(tokio::spawn(attend(child, stderr, turn, heard)));
        Ok(Session { stdin: Some(stdin), stdout, ended, heard: false })
    }
}

fn no_ssh(error: &io::Error) -> io::Error {
    let message = format!("`ssh` cannot be started on this machine: {error}");
    io::Error::other(DriverError::new("ssh_missing", message).remedy("install the OpenSSH client where WindFlow runs"))
}

/// Listens to what `ssh` says of itself, and waits for its end; why it ended.
async fn attend(
    mut child: Child,
    mut stderr: ChildStderr,
    turn: OwnedSemaphorePermit,
    mut heard: Heard,
) -> DriverError {
    let mut turn = Some(turn);
    let mut chunk = [0; 4096];
    while let Ok(read @ 1..) = stderr.read(&mut chunk).await {
        heard.take(chunk.get(..read).unwrap_or_default());
        if heard.is_in() {
            drop(turn.take());
        }
    }
    let status = tokio::time::timeout(END, child.wait()).await.ok().and_then(std::result::Result::ok);
    heard.reason(status.and_then(|status| status.code()))
}

/// A connection by SSH. Its process ends with it.
pub(super) struct Session {
    stdin: Option<ChildStdin>,
    stdout: ChildStdout,
    /// Until its reason was told.
    ended: Option<JoinHandle<DriverError>>,
    heard: bool,
}

impl Drop for Session {
    fn drop(&mut self) {
        // It holds the process, which is killed when it is let go of.
        if let Some(ended) = &self.ended {
            ended.abort();
        }
    }
}

impl AsyncRead for Session {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = into.filled().len();
        ready!(Pin::new(&mut self.stdout).poll_read(context, into))?;
        self.heard |= into.filled().len() > before;
        let heard = self.heard;
        let Some(ended) = self.ended.as_mut().filter(|_| !heard) else { return Poll::Ready(Ok(())) };
        // It ended without a word of the engine: there is a reason.
        let reason = ready!(Pin::new(ended).poll(context));
        self.ended = None;
        Poll::Ready(Err(reason.map_or_else(io::Error::other, io::Error::other)))
    }
}

impl AsyncWrite for Session {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, from: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.stdin {
            Some(stdin) => Pin::new(stdin).poll_write(context, from),
            None => Poll::Ready(Err(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.stdin {
            Some(stdin) => Pin::new(stdin).poll_flush(context),
            None => Poll::Ready(Ok(())),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A pipe is shut by letting go of it.
        self.stdin = None;
        Poll::Ready(Ok(()))
    }
}
