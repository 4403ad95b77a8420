//! The kernels as functions of JavaScript, on the memory of its typed arrays.
//!
//! Every call is synchronous: while it runs, JavaScript does not, and its arguments hold their
//! arrays. So no array can move, be freed or change hands under a kernel.

mod attention;
mod check;
mod cross_entropy;
mod layer_norm;
mod machine;
mod patches;
mod products;
mod stock;
mod stored;
mod unit_rows;
mod updates;
mod weight_norm;
