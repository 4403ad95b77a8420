//! The functions of Bochs's library that are used here.

use crate::fail;
use std::ffi::{CStr, CString, c_void};
use std::mem::transmute;
use std::sync::OnceLock;

static BOCHS: OnceLock<Bochs> = OnceLock::new();

/// The number of the only processor.
const CPU: u32 = 0;

/// The library, once it is loaded.
pub fn bochs() -> &'static Bochs {
    BOCHS.get().unwrap_or_else(|| fail("Bochs is not loaded"))
}

pub fn is_loaded() -> bool {
    BOCHS.get().is_some()
}

/// Loads the library and makes its processor.
pub fn load(file: &str) {
    let file = CString::new(file).unwrap_or_else(|_| fail("a path with a zero in it"));
    // SAFETY: the library's constructors need nothing but what this one stands in for.
    let handle = unsafe { libc::dlopen(file.as_ptr(), libc::RTLD_LAZY | libc::RTLD_LOCAL) };
    if handle.is_null() {
        // SAFETY: there is an error, which is text.
        let why = unsafe { CStr::from_ptr(libc::dlerror()) };
        fail(&why.to_string_lossy());
    }
    if BOCHS.set(Bochs::find(handle)).is_err() {
        fail("Bochs is loaded twice");
    }
    bochs().cpu_new();
}

/// Methods of these names, which call the library's functions of the same for the one processor.
macro_rules! functions {
    ($($name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)?;)*) => {
        pub struct Bochs {
            handle: usize,
            $($name: unsafe extern "C-unwind" fn(u32, $($type),*) $(-> $result)?,)*
        }

        impl Bochs {
            fn find(handle: *mut c_void) -> Bochs {
                Bochs {
                    handle: handle as usize,
                    $($name: {
                        let place = find(handle, concat!(stringify!($name), "\0"));
                        // SAFETY: the function is declared so in bochscpu 0.4.0.
                        unsafe { transmute::<
                                *mut c_void,
                                unsafe extern "C-unwind" fn(u32, $($type),*) $(-> $result)?,
                            >(place) }
                    },)*
                }
            }

            $(pub fn $name(&self, $($argument: $type),*) $(-> $result)? {
                // SAFETY: the processor is there, and one thread at a time works with it.
                unsafe { (self.$name)(CPU, $($argument),*) }
            })*
        }
    };
}

functions! {
    cpu_new();
    cpu_loop();
    cpu_bail();
    cpu_set_mode();
    cpu_set_killbit();
    cpu_clear_killbit();
    cpu_get_pc() -> u64;
    cpu_set_pc(at: u64);
    cpu_get_reg64(register: u32) -> u64;
    cpu_set_reg64(register: u32, value: u64);
    cpu_get_eflags() -> u32;
    cpu_set_eflags(flags: u32);
    cpu_set_seg(segment: u32, present: u32, selector: u16, base: u64, limit: u32, kind: u16);
    cpu_set_cr0(value: u32);
    cpu_get_cr2() -> u64;
    cpu_set_cr3(value: u64);
    cpu_set_cr4(value: u64);
    cpu_set_efer(value: u32);
    cpu_set_xcr0(value: u32);
    cpu_set_star(value: u64);
    cpu_set_lstar(value: u64);
    cpu_set_fmask(value: u32);
    cpu_get_zmm(register: u32, value: &mut [u64; 8]);
    cpu_set_zmm(register: u32, value: &[u64; 8]);
    cpu_get_mxcsr() -> u32;
    cpu_set_mxcsr(value: u32);
    cpu_set_mxcsr_mask(value: u32);
    cpu_set_fp_cw(value: u16);
    cpu_set_fp_tw(value: u16);
}

impl Bochs {
    /// A function of the library that this one stands in front of.
    pub fn own(&self, name: &str) -> *mut c_void {
        find(self.handle as *mut c_void, name)
    }
}

/// Where a function is; its name ends in a zero.
fn find(handle: *mut c_void, name: &str) -> *mut c_void {
    // SAFETY: a library that is loaded, and a name that ends.
    let place = unsafe { libc::dlsym(handle, name.as_ptr().cast()) };
    if place.is_null() {
        fail(&format!("Bochs: expected a function {name}, got none"));
    }
    place
}
