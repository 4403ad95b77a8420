//! Functions of the C library that this one stands in front of.

use crate::bochs;
use crate::modules;
use std::ffi::{CStr, c_char, c_int, c_void};

/// The C library's own function; its type is what the caller makes of it.
fn own(name: &CStr) -> *mut c_void {
    // SAFETY: a name of the C library's.
    unsafe { libc::dlsym(libc::RTLD_NEXT, name.as_ptr()) }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn dlopen(file: *const c_char, flags: c_int) -> *mut c_void {
    // SAFETY: the C library's function, with what the caller has given.
    unsafe {
        let own: unsafe extern "C" fn(*const c_char, c_int) -> *mut c_void =
            std::mem::transmute(own(c"dlopen"));
        let handle = own(file, flags);
        if !handle.is_null() && !file.is_null() {
            modules::loaded(&CStr::from_ptr(file).to_string_lossy());
        }
        handle
    }
}

/// Node sets all signals back when it starts; what the processor does not know stays ours.
#[unsafe(no_mangle)]
unsafe extern "C" fn sigaction(
    signal: c_int,
    new: *const libc::sigaction,
    old: *mut libc::sigaction,
) -> c_int {
    if signal == libc::SIGILL && bochs::is_loaded() {
        return 0;
    }
    // SAFETY: the caller's promises.
    unsafe { own_sigaction(signal, new, old) }
}

/// # Safety
/// As `sigaction` of the C library.
pub unsafe fn own_sigaction(
    signal: c_int,
    new: *const libc::sigaction,
    old: *mut libc::sigaction,
) -> c_int {
    type Own = unsafe extern "C" fn(c_int, *const libc::sigaction, *mut libc::sigaction) -> c_int;
    // SAFETY: the C library's function, with what the caller has given.
    unsafe {
        let own: Own = std::mem::transmute(own(c"sigaction"));
        own(signal, new, old)
    }
}

/// The stack for signals is ours on every thread: others' are too small for Bochs.
#[unsafe(no_mangle)]
unsafe extern "C" fn sigaltstack(_: *const libc::stack_t, old: *mut libc::stack_t) -> c_int {
    if !old.is_null() {
        let none = libc::stack_t {
            ss_sp: std::ptr::null_mut(),
            ss_flags: libc::SS_DISABLE,
            ss_size: 0,
        };
        // SAFETY: the caller has room for it.
        unsafe { old.write(none) };
    }
    0
}
