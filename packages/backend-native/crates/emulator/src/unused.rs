//! What Bochs's library, a module for Python, is linked against and never uses here: Python, and a
//! newer C library than some systems have.

use std::ffi::{c_char, c_int, c_ulonglong};

/// Things that must have an address when the library is loaded.
macro_rules! things {
    ($($name:ident)*) => { $(
        #[unsafe(no_mangle)]
        static $name: [usize; 64] = [0; 64];
    )* };
}

#[allow(non_upper_case_globals)]
mod python {
    things! {
        PyBaseObject_Type PyBytes_Type PyExc_AttributeError PyExc_BufferError PyExc_ImportError
        PyExc_IndexError PyExc_KeyError PyExc_MemoryError PyExc_OverflowError PyExc_RuntimeError
        PyExc_RuntimeWarning PyExc_StopIteration PyExc_SystemError PyExc_TypeError
        PyExc_ValueError PyFloat_Type PyList_Type PyLong_Type PyModule_Type
        PyObject_GenericGetDict PyObject_GenericSetDict PyObject_Vectorcall
        PyObject_VectorcallMethod PyProperty_Type PyTuple_Type PyType_GenericNew PyType_Type
        PyUnicode_Type PyVectorcall_Call Py_GenericAlias Py_GenericAliasType _PyWeakref_RefType
        _Py_FalseStruct _Py_NoneStruct _Py_NotImplementedStruct _Py_TrueStruct
    }
}

#[unsafe(no_mangle)]
unsafe extern "C" fn __isoc23_strtoull(
    text: *const c_char,
    end: *mut *mut c_char,
    base: c_int,
) -> c_ulonglong {
    // SAFETY: the same function by its older name.
    unsafe { libc::strtoull(text, end, base) }
}
