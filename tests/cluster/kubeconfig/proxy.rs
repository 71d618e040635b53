//! Proxies on this machine. Each notes for the server how a connection came to it.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

use super::server::{self, Ways};

/// A proxy that speaks HTTP, over TLS if it is given how.
pub async fn http(listener: TcpListener, tls: Option<TlsAcceptor>, ways: Ways) {
    while let Ok((stream, _)) = listener.accept().await {
        let (tls, ways) = (tls.clone(), ways.clone());
        tokio::spawn(async move {
            match tls {
                Some(tls) => pass_http(tls.accept(stream).await?, "https", &ways).await,
                None => pass_http(stream, "http", &ways).await,
            }
        });
    }
}

/// A proxy that speaks SOCKS 5.
pub async fn socks(listener: TcpListener, ways: Ways) {
    while let Ok((stream, _)) = listener.accept().await {
        let ways = ways.clone();
        tokio::spawn(async move { pass_socks(stream, &ways).await });
    }
}

async fn pass_http<S>(mut client: S, kind: &str, ways: &Ways) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut rest = Vec::new();
    let Some(head) = server::head(&mut client, &mut rest).await? else { return Ok(()) };
    let tunnel = head.method == "CONNECT";
    let target = head.target.strip_prefix("http://").unwrap_or(&head.target);
    let target = target.split('/').next().unwrap_or_default();
    let user: Vec<_> = head.values("proxy-authorization").collect();
    // Requests to an http server may be passed on one by one, or as any other through a tunnel: it is the same way.
    let mut server = connect(target, ways, format!("{kind} proxy to {target} as {user:?}")).await?;
    if tunnel {
        client.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await?;
    } else {
        server.write_all(&head.bytes).await?;
    }
    server.write_all(&rest).await?;
    relay(client, server, ways).await
}

async fn pass_socks(mut client: TcpStream, ways: &Ways) -> io::Result<()> {
    let (_version, methods) = (client.read_u8().await?, client.read_u8().await?);
    let mut offered = vec![0; methods.into()];
    client.read_exact(&mut offered).await?;
    let user = if offered.contains(&2) {
        client.write_all(&[5, 2]).await?;
        let _version = client.read_u8().await?;
        let user = (text(&mut client).await?, text(&mut client).await?);
        client.write_all(&[1, 0]).await?;
        Some(user)
    } else {
        client.write_all(&[5, 0]).await?;
        None
    };
    let mut start = [0; 4];
    client.read_exact(&mut start).await?;
    let host = match start[3] {
        1 => IpAddr::from(Ipv4Addr::from_bits(client.read_u32().await?)).to_string(),
        4 => format!("[{}]", Ipv6Addr::from_bits(client.read_u128().await?)),
        _ => text(&mut client).await?,
    };
    let target = format!("{host}:{}", client.read_u16().await?);
    let server = connect(&target, ways, format!("socks proxy to {target} as {user:?}")).await?;
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0]).await?;
    relay(client, server, ways).await
}

/// Passes on what either side says. Afterwards the way is forgotten: the port may be another connection's next.
async fn relay<S>(mut client: S, mut server: TcpStream, ways: &Ways) -> io::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let end = copy_bidirectional(&mut client, &mut server).await;
    ways.lock().unwrap().remove(&server.local_addr()?);
    end.map(|_| ())
}

/// A text that its length precedes.
async fn text(stream: &mut TcpStream) -> io::Result<String> {
    let mut bytes = vec![0; stream.read_u8().await?.into()];
    stream.read_exact(&mut bytes).await?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// Connects to a server of this machine, by whatever name: none but this machine's are asked for here.
async fn connect(target: &str, ways: &Ways, way: String) -> io::Result<TcpStream> {
    let port = target.rsplit(':').next().and_then(|port| port.parse().ok()).unwrap_or(80);
    let stream = TcpStream::connect(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await?;
    ways.lock().unwrap().insert(stream.local_addr()?, way);
    Ok(stream)
}
