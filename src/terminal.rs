//! Owns the conversation with a person: one question on `/dev/tty`, and an answer typed there.
//! Never uses standard input or output, which belong to the shell and its pipes.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};

use rustix::termios::{LocalModes, OptionalActions, SpecialCodeIndex, Termios, tcgetattr, tcgetpgrp, tcsetattr};
use zeroize::Zeroizing;

use crate::error::{Error, Kind, Result, printable};
use crate::secret::Secret;
use crate::session::{Ask, TokenCodes};

/// How often a person may enter a code.
const TRIES: u32 = 3;
const INTERRUPT: u8 = 0x03;
const END_OF_INPUT: u8 = 0x04;
const ERASE_LINE: u8 = 0x15;
const ESCAPE: u8 = 0x1b;
const LONGEST_ANSWER: usize = 64;

/// What a person answered.
#[derive(Debug, PartialEq, Eq)]
pub enum Answer {
    Line(Zeroizing<String>),
    /// Nothing: an empty line, Ctrl-D, Escape, or the terminal is gone.
    Nothing,
    /// Ctrl-C.
    Interrupt,
}

/// The controlling terminal, if this process may use it.
pub struct Terminal(File);

impl Terminal {
    /// Opens the terminal. None in the background, where reading would stop the process, and where there is none.
    #[must_use]
    pub fn open() -> Option<Self> {
        let tty = OpenOptions::new().read(true).write(true).open("/dev/tty").ok()?;
        (tcgetpgrp(&tty).ok()? == rustix::process::getpgrp()).then_some(Terminal(tty))
    }

    /// Asks for a line.
    ///
    /// # Errors
    /// When the terminal cannot be set up or read.
    pub fn ask(&mut self, question: &str) -> std::io::Result<Answer> {
        let raw = RawMode::enter(&self.0)?;
        self.0.write_all(printable(question).as_bytes())?;
        let answer = read_line(&mut self.0);
        drop(raw);
        self.0.write_all(b"\n")?;
        answer
    }

    pub fn tell(&mut self, line: &str) -> std::io::Result<()> {
        writeln!(self.0, "{}", printable(line))
    }
}

/// The terminal's modes while a line is read: no signals, so that `$?` and the terminal survive Ctrl-C; and no echo,
/// since fish's prompt has it off already and the others on. They come back when this goes.
struct RawMode {
    tty: File,
    before: Termios,
}

impl RawMode {
    fn enter(tty: &File) -> std::io::Result<Self> {
        let before = tcgetattr(tty)?;
        let mut modes = before.clone();
        modes.local_modes -= LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG | LocalModes::IEXTEN;
        modes.special_codes[SpecialCodeIndex::VMIN] = 1;
        modes.special_codes[SpecialCodeIndex::VTIME] = 0;
        // Flush: what was typed before the question was not meant as its answer.
        tcsetattr(tty, OptionalActions::Flush, &modes)?;
        Ok(RawMode { tty: tty.try_clone()?, before })
    }
}

impl Drop for RawMode {
    fn drop(&mut self) {
        // If the terminal is gone there is nothing to restore.
        let _gone = tcsetattr(&self.tty, OptionalActions::Drain, &self.before);
    }
}

fn erase(tty: &mut impl Write, columns: usize) -> std::io::Result<()> {
    tty.write_all("\u{8} \u{8}".repeat(columns).as_bytes())
}

fn read_line(tty: &mut (impl Read + Write)) -> std::io::Result<Answer> {
    let mut line = Zeroizing::new(String::with_capacity(LONGEST_ANSWER));
    let mut byte = [0];
    loop {
        if tty.read(&mut byte)? == 0 {
            return Ok(Answer::Nothing);
        }
        match byte[0] {
            b'\r' | b'\n' if line.is_empty() => return Ok(Answer::Nothing),
            b'\r' | b'\n' => return Ok(Answer::Line(line)),
            END_OF_INPUT | ESCAPE => return Ok(Answer::Nothing),
            INTERRUPT => return Ok(Answer::Interrupt),
            0x08 | 0x7f => erase(tty, line.pop().map_or(0, |_| 1))?,
            ERASE_LINE => {
                erase(tty, line.len())?;
                line.clear();
            }
            printing @ 0x21..=0x7e if line.len() < LONGEST_ANSWER => {
                line.push(char::from(printing));
                tty.write_all(&byte)?;
            }
            _ => {}
        }
    }
}

/// Codes that a person types.
pub struct AskedCodes {
    terminal: Option<Terminal>,
    asked: bool,
}

impl AskedCodes {
    #[must_use]
    pub fn new() -> Self {
        AskedCodes { terminal: None, asked: false }
    }
}

impl Default for AskedCodes {
    fn default() -> Self {
        Self::new()
    }
}

impl TokenCodes for AskedCodes {
    fn next(&mut self, ask: &Ask<'_>) -> Result<Secret> {
        let needed = |why: &str| Error::new(Kind::SignInNeeded, format!("an MFA code for {} is needed", ask.mfa_serial), why);
        if self.terminal.is_none() {
            self.terminal = Terminal::open();
        }
        let Some(terminal) = &mut self.terminal else {
            return Err(needed("there is no terminal to ask on").hint("awsenv login --mfa-code CODE"));
        };
        let broken =
            |error: std::io::Error| needed(&format!("the terminal failed: {error}")).hint("awsenv login --mfa-code CODE");
        if let Some(problem) = ask.problem {
            let hint = problem.hint_text().map(|hint| format!(" ({hint})")).unwrap_or_default();
            terminal.tell(&format!("awsenv: {}{hint}", problem.summary())).map_err(broken)?;
        }
        let wait = ask.wait_seconds.map(|seconds| format!(" (the next one, in {seconds} s)")).unwrap_or_default();
        match terminal.ask(&format!("awsenv: MFA code for {}{wait}: ", ask.mfa_serial)).map_err(broken)? {
            Answer::Line(code) => Ok(Secret::new(code.trim())),
            Answer::Nothing => Err(needed("it was not given").hint("awsenv login")),
            Answer::Interrupt => Err(needed("you interrupted").of_kind(Kind::Interrupted).hint("awsenv login")),
        }
    }

    fn tries(&self) -> u32 {
        TRIES
    }

    fn can_ask(&self) -> bool {
        self.terminal.is_some() || Terminal::open().is_some()
    }

    fn asked(&self) -> bool {
        self.asked
    }
}

/// A code from the command line or standard input.
pub struct GivenCode(Option<Secret>);

impl GivenCode {
    #[must_use]
    pub fn new(code: Secret) -> Self {
        GivenCode(Some(code))
    }
}

impl TokenCodes for GivenCode {
    fn next(&mut self, ask: &Ask<'_>) -> Result<Secret> {
        self.0.take().ok_or_else(|| {
            Error::new(
                Kind::SignInNeeded,
                format!("an MFA code for {} is needed", ask.mfa_serial),
                "the one that was given is used up",
            )
            .hint("awsenv login --mfa-code CODE, with the next code")
        })
    }

    fn tries(&self) -> u32 {
        1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a person types, and what the terminal shows.
    struct Typed<'a>(&'a [u8], Vec<u8>);

    impl Read for Typed<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
            self.0.read(buffer)
        }
    }

    impl Write for Typed<'_> {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.1.write(bytes)
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    fn answer(typed: &[u8]) -> Answer {
        read_line(&mut Typed(typed, Vec::new())).expect("read")
    }

    fn line(text: &str) -> Answer {
        Answer::Line(Zeroizing::new(text.to_owned()))
    }

    #[test]
    fn a_line_ends_in_either_shell_mode_and_can_be_edited() {
        assert_eq!(answer(b"123456\r"), line("123456"));
        assert_eq!(answer(b"123456\n"), line("123456"));
        assert_eq!(answer(b"129\x7f\x7f23\x0856\x15654321\r"), line("654321"));
        assert_eq!(answer(b"12 34\t56\r"), line("123456"));
    }

    #[test]
    fn declining() {
        assert_eq!(answer(b"12\x03"), Answer::Interrupt);
        for typed in [&b"\r"[..], b"12\x04", b"12\x1b", b"12", b""] {
            assert_eq!(answer(typed), Answer::Nothing, "{typed:?}");
        }
    }
}
