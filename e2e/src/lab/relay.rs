//! Carries packets between TUN devices. Sleeps until a packet comes or is due.

use super::{
    links::Links,
    packet::destination,
    queue::{Packet, Queue},
};
use crate::error::{Error, IoContext, Result};
use std::{
    net::Ipv4Addr,
    sync::{mpsc as channel, Arc},
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::{
    runtime::{Builder, Runtime},
    sync::{mpsc, oneshot},
    time::Instant,
};
use tokio_tun::Tun;

/// Larger than any packet of the devices.
const MAX_PACKET: usize = 65_536;
/// Packets read and not yet looked at; then reading waits, and the kernel's own
/// queue of the device fills.
const UNREAD: usize = 1_024;

/// The running relay. Dropping it ends it and removes its devices.
pub(super) struct Relay {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Relay {
    /// Makes the devices, one a node, and carries packets between the nodes'
    /// addresses until dropped.
    ///
    /// # Errors
    /// [`Error::Other`] if a device cannot be made.
    pub(super) fn start(
        devices: Vec<String>,
        addresses: Vec<Ipv4Addr>,
        links: Links,
        seed: u64,
    ) -> Result<Self> {
        let (stop, stopped) = oneshot::channel();
        let (ready, made) = channel::channel();
        let body = move || {
            let outcome = open(&devices);
            let (runtime, devices) = match outcome {
                Ok(opened) => opened,
                Err(error) => {
                    let _ = ready.send(Err(error));
                    return;
                }
            };
            let _ = ready.send(Ok(()));
            runtime.block_on(async {
                tokio::select! {
                    () = carry(devices, addresses, links, seed) => {}
                    _ = stopped => {}
                }
            });
            // The readers and with them the devices end with the runtime.
        };
        let thread = thread::Builder::new()
            .name("lab-relay".into())
            .spawn(body)
            .attempt(|| "starting the relay".into())?;
        let relay = Self { stop: Some(stop), thread: Some(thread) };
        made.recv().map_err(|_| Error::other("the relay ended at once"))??;
        Ok(relay)
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn open(names: &[String]) -> Result<(Runtime, Vec<Arc<Tun>>)> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .attempt(|| "starting the relay's runtime".into())?;
    let entered = runtime.enter();
    let mut devices = Vec::new();
    for name in names {
        let made = Tun::builder().name(name).build();
        let made = made.map_err(|error| Error::other(format!("TUN device {name}: {error}")))?;
        devices.extend(made.into_iter().map(Arc::new));
    }
    drop(entered);
    Ok((runtime, devices))
}

async fn carry(devices: Vec<Arc<Tun>>, addresses: Vec<Ipv4Addr>, links: Links, seed: u64) {
    let (sender, mut packets) = mpsc::channel(UNREAD);
    for (node, device) in devices.iter().enumerate() {
        tokio::spawn(read(node, device.clone(), sender.clone()));
    }
    let start = Instant::now();
    let mut queue = Queue::new(seed);
    loop {
        let due = queue.next_arrival().map(|arrival| start + arrival);
        tokio::select! {
            packet = packets.recv() => match packet {
                Some((from, bytes)) => {
                    let to = destination(&bytes)
                        .and_then(|wanted| addresses.iter().position(|known| *known == wanted));
                    if let Some(to) = to {
                        let packet = Packet { from, to, bytes };
                        queue.send(start.elapsed(), links.get(from, to), packet);
                    }
                }
                None => return,
            },
            () = sleep_until(due) => {}
        }
        deliver(&mut queue, start.elapsed(), &devices, &links).await;
    }
}

async fn deliver(queue: &mut Queue, now: Duration, devices: &[Arc<Tun>], links: &Links) {
    while let Some(packet) = queue.arrived(now) {
        // What is under way when a link is cut is lost with it.
        if links.get(packet.from, packet.to).up {
            // A device that is going away takes nothing any more.
            let _ = devices[packet.to].send(&packet.bytes).await;
        }
    }
}

/// Reads a device until it is gone.
async fn read(node: usize, device: Arc<Tun>, packets: mpsc::Sender<(usize, Vec<u8>)>) {
    let mut buffer = vec![0; MAX_PACKET];
    loop {
        match device.recv(&mut buffer).await {
            Ok(size) => {
                if packets.send((node, buffer[..size].to_vec())).await.is_err() {
                    return;
                }
            }
            // Not up yet, or moving between namespaces.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn sleep_until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
