//! A minimal client of VPP over shared memory, by VPP's own `libvapiclient`: what the benchmarks
//! hold the socket against. It only measures: a client that is killed while it holds the lock of
//! the segment's heap stops VPP for good, which is why the daemon has no such transport.
//!
//! `shared_memory LIBRARY PREFIX MAX_IN_FLIGHT FRAMES…`: for each file of frames as the socket
//! takes them (`memclnt.api`), all with `client_index` 0, the seconds from the first request to the
//! last reply, a line each. Functions and their signatures: VPP's `vapi/vapi.h`, 22.10 to 26.10.

use std::error::Error;
use std::ffi::{CString, c_char, c_int, c_void};
use std::time::Instant;

use libloading::{Library, Symbol};

/// Bytes before a message on the socket, with its length in the middle.
const HEADER: usize = 16;

/// Of the queue in which VPP puts replies.
const REPLY_QUEUE: c_int = 1024;

/// `VAPI_MODE_NONBLOCKING`, `VAPI_OK`, `VAPI_EAGAIN` and `SVM_Q_NOWAIT`.
const NONBLOCKING: c_int = 2;
const OK: c_int = 0;
const EAGAIN: c_int = 2;
const NO_WAIT: c_int = 1;

type Context = *mut c_void;
type Message = *mut u8;
type Connect =
    unsafe extern "C" fn(Context, *const c_char, *const c_char, c_int, c_int, c_int, bool) -> c_int;
type Receive = unsafe extern "C" fn(Context, *mut Message, *mut usize, c_int, u32) -> c_int;

/// The functions of the library that are needed.
struct Client<'library> {
    context: Context,
    index: u32,
    allocate: Symbol<'library, unsafe extern "C" fn(Context, usize) -> Message>,
    send: Symbol<'library, unsafe extern "C" fn(Context, Message) -> c_int>,
    receive: Symbol<'library, Receive>,
    free: Symbol<'library, unsafe extern "C" fn(Context, Message)>,
    disconnect: Symbol<'library, unsafe extern "C" fn(Context) -> c_int>,
}

impl<'library> Client<'library> {
    fn connect(
        library: &'library Library,
        prefix: &str,
        max_in_flight: usize,
    ) -> Result<Self, Box<dyn Error>> {
        let (name, prefix) = (CString::new("shared-memory")?, CString::new(prefix)?);
        let mut context: Context = std::ptr::null_mut();
        // SAFETY: the types are those of vapi.h; the pointers live as long as the calls.
        unsafe {
            let make: Symbol<'_, unsafe extern "C" fn(*mut Context) -> c_int> =
                library.get(b"vapi_ctx_alloc")?;
            check("vapi_ctx_alloc", make(&raw mut context))?;
            let connect: Symbol<'_, Connect> = library.get(b"vapi_connect")?;
            let outstanding = c_int::try_from(max_in_flight)?;
            let prefix = prefix.as_ptr();
            check(
                "vapi_connect",
                connect(
                    context,
                    name.as_ptr(),
                    prefix,
                    outstanding,
                    REPLY_QUEUE,
                    NONBLOCKING,
                    true,
                ),
            )?;
            let index: Symbol<'_, unsafe extern "C" fn(Context) -> u32> =
                library.get(b"vapi_get_client_index")?;
            Ok(Self {
                context,
                index: index(context),
                allocate: library.get(b"vapi_msg_alloc")?,
                send: library.get(b"vapi_send")?,
                receive: library.get(b"vapi_recv")?,
                free: library.get(b"vapi_msg_free")?,
                disconnect: library.get(b"vapi_disconnect")?,
            })
        }
    }

    /// Sends all of it, with at most `max_in_flight` requests that are not answered.
    fn exchange(&self, frames: &[u8], max_in_flight: usize) -> Result<(), Box<dyn Error>> {
        let mut messages = messages(frames).peekable();
        let mut in_flight = 0;
        while in_flight > 0 || messages.peek().is_some() {
            while in_flight < max_in_flight {
                let Some(message) = messages.next() else {
                    break;
                };
                self.send(message)?;
                in_flight += 1;
            }
            while self.receive()? {
                in_flight -= 1;
            }
        }
        Ok(())
    }

    fn send(&self, message: &[u8]) -> Result<(), Box<dyn Error>> {
        // SAFETY: the library gives as many bytes as it is asked for, which belong to VPP once the
        // queue has taken them; the index is at bytes 2 to 6 of every request.
        unsafe {
            let to = (self.allocate)(self.context, message.len());
            if to.is_null() {
                return Err("vapi_msg_alloc: no memory".into());
            }
            to.copy_from_nonoverlapping(message.as_ptr(), message.len());
            to.add(2).cast::<u32>().write_unaligned(self.index);
            loop {
                match (self.send)(self.context, to) {
                    EAGAIN => std::hint::spin_loop(),
                    other => return check("vapi_send", other),
                }
            }
        }
    }

    /// Whether there was a reply. A refused request is an error.
    fn receive(&self) -> Result<bool, Box<dyn Error>> {
        let (mut message, mut size) = (std::ptr::null_mut(), 0_usize);
        // SAFETY: the message is valid for `size` bytes until it is given back, once.
        let retval = unsafe {
            match (self.receive)(self.context, &raw mut message, &raw mut size, NO_WAIT, 0) {
                EAGAIN => return Ok(false),
                other => check("vapi_recv", other)?,
            }
            let reply = std::slice::from_raw_parts(message, size);
            let retval = reply.get(6..10).and_then(|bytes| bytes.try_into().ok());
            (self.free)(self.context, message);
            retval.map(i32::from_be_bytes)
        };
        match retval {
            Some(0) => Ok(true),
            other => Err(format!("VPP refused a request: {other:?}").into()),
        }
    }
}

impl Drop for Client<'_> {
    fn drop(&mut self) {
        // SAFETY: it was connected, and nothing is asked of it afterwards.
        unsafe { (self.disconnect)(self.context) };
    }
}

fn messages(mut frames: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        let length = u32::from_be_bytes(frames.get(8..12)?.try_into().ok()?) as usize;
        let (frame, rest) = frames.split_at_checked(HEADER + length)?;
        frames = rest;
        frame.get(HEADER..)
    })
}

fn check(function: &str, code: c_int) -> Result<(), Box<dyn Error>> {
    if code == OK {
        Ok(())
    } else {
        Err(format!("{function}: {code}").into())
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [library, prefix, max_in_flight, files @ ..] = arguments.as_slice() else {
        return Err("which? shared_memory LIBRARY PREFIX MAX_IN_FLIGHT FRAMES…".into());
    };
    let max_in_flight: usize = max_in_flight.parse()?;
    // SAFETY: what VPP's own library does when it is loaded is VPP's.
    let library = unsafe { Library::new(library)? };
    let client = Client::connect(&library, prefix, max_in_flight)?;
    for file in files {
        let frames = std::fs::read(file)?;
        let began = Instant::now();
        client.exchange(&frames, max_in_flight)?;
        println!("{}", began.elapsed().as_secs_f64());
    }
    Ok(())
}
