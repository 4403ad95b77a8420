fn main() {
    napi_build::setup();
    // A worker of Node's that ends would unload the library from under the pool's threads.
    if std::env::var("CARGO_CFG_TARGET_OS").as_deref() == Ok("linux") {
        println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    }
}
