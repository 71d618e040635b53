//! TLS as kubectl has it: which servers are trusted, and which certificate is shown to them.

#[allow(dead_code)] // Until there is somebody who judges by it.
mod certificate;
#[allow(dead_code)] // The same.
mod pem;

#[cfg(test)]
mod tests;
