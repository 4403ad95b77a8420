//! The kernels of stock tfjs.

mod convolutions;
mod elements;
mod moves;
mod pictures;
mod products;
mod reductions;
