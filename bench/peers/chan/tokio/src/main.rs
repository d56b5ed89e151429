// SPDX-License-Identifier: Apache-2.0
//! The channel benchmark on tokio: current-thread runtime, or two workers for the 8x8 rows.
//! Usage: chanbench ROW [REPETITIONS]; bench/README.md lists the rows.
//!
//! tokio's mpsc has no capacity 0, so "unbuffered" is capacity 1 here, which lets a sender run ahead
//! by one: less work than a rendezvous, in tokio's favour. It has no channel for many receivers
//! either: async-channel stands in for 8x8 and for the shared channel, a oneshot for a channel each.
use std::future::Future;
use std::time::{Duration, Instant};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::{mpsc, oneshot};

const M: usize = 1_000_000;

fn rss() -> f64 {
    let statm = std::fs::read_to_string("/proc/self/statm").unwrap();
    statm.split(' ').nth(1).unwrap().parse::<f64>().unwrap() * 4096.0
}

extern "C" {
    fn clock_gettime(clock: i32, time: *mut [i64; 2]) -> i32;
}

/// User and system time of this process in nanoseconds.
fn cpu() -> f64 {
    const CLOCK_PROCESS_CPUTIME_ID: i32 = 2;
    let mut time = [0i64; 2];
    unsafe { clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &mut time) };
    time[0] as f64 * 1e9 + time[1] as f64
}

/// Prints wall and CPU nanoseconds an operation, after a warm-up.
fn measure<F: FnMut()>(name: &str, ops: usize, mut f: F) {
    let count: usize = std::env::args().nth(2).map_or(5, |n| n.parse().unwrap());
    f();
    let (mut walls, mut cpus) = (vec![], vec![]);
    for _ in 0..count {
        let (c, s) = (cpu(), Instant::now());
        f();
        walls.push(s.elapsed().as_nanos() as f64 / ops as f64);
        cpus.push((cpu() - c) / ops as f64);
    }
    walls.sort_by(f64::total_cmp);
    cpus.sort_by(f64::total_cmp);
    let (mid, last) = (count / 2, count - 1);
    println!("{} {:.1} {:.1} {:.1} cpu {:.1}", name, walls[mid], walls[0], walls[last], cpus[mid]);
}

fn one() -> Runtime {
    Builder::new_current_thread().enable_time().build().unwrap()
}

fn two() -> Runtime {
    Builder::new_multi_thread().worker_threads(2).build().unwrap()
}

/// Repeats what `make` makes on a runtime.
fn repeat<F: Future>(runtime: Runtime, name: &str, ops: usize, make: impl Fn() -> F) {
    measure(name, ops, || {
        runtime.block_on(make());
    })
}

async fn pingpong() {
    let (tx, mut rx) = mpsc::channel::<usize>(1);
    let (tx2, mut rx2) = mpsc::channel::<usize>(1);
    tokio::spawn(async move {
        while let Some(v) = rx.recv().await {
            tx2.send(v).await.unwrap();
        }
    });
    let ping = tokio::spawn(async move {
        for i in 0..M {
            tx.send(i).await.unwrap();
            rx2.recv().await;
        }
    });
    ping.await.unwrap();
}

async fn prodcons(n: usize, capacity: usize) {
    let (tx, mut rx) = mpsc::channel::<usize>(capacity);
    let producer = tokio::spawn(async move {
        for i in 0..n {
            tx.send(i).await.unwrap();
        }
    });
    let consumer = tokio::spawn(async move {
        let mut s = 0usize;
        while let Some(v) = rx.recv().await {
            s += v;
        }
        s
    });
    producer.await.unwrap();
    assert_eq!(consumer.await.unwrap(), n * (n - 1) / 2);
}

async fn mpmc(n: usize, capacity: usize) {
    let (tx, rx) = async_channel::bounded::<usize>(capacity);
    let mut handles = vec![];
    for _ in 0..8 {
        let (tx, rx) = (tx.clone(), rx.clone());
        handles.push(tokio::spawn(async move {
            for i in 0..n / 8 {
                tx.send(i).await.unwrap();
            }
        }));
        handles.push(tokio::spawn(async move { while rx.recv().await.is_ok() {} }));
    }
    drop(tx);
    drop(rx);
    for x in handles {
        x.await.unwrap();
    }
}

/// Starts a producer on each of `k` channels. They never close: no receive ends for another reason.
fn producers<const K: usize>() -> [mpsc::Receiver<usize>; K] {
    [(); K].map(|_| {
        let (tx, rx) = mpsc::channel(1);
        tokio::spawn(async move {
            for i in 0..M / K {
                tx.send(i).await.unwrap();
            }
            std::future::pending::<()>().await;
            drop(tx)
        });
        rx
    })
}

async fn select2() {
    let [mut a, mut b] = producers::<2>();
    for _ in 0..M {
        tokio::select! { _ = a.recv() => {}, _ = b.recv() => {} }
    }
}

#[rustfmt::skip]
async fn select16() {
    let [mut a0, mut a1, mut a2, mut a3, mut a4, mut a5, mut a6, mut a7,
         mut b0, mut b1, mut b2, mut b3, mut b4, mut b5, mut b6, mut b7] = producers::<16>();
    for _ in 0..M {
        tokio::select! {
            _ = a0.recv() => {}, _ = a1.recv() => {}, _ = a2.recv() => {}, _ = a3.recv() => {},
            _ = a4.recv() => {}, _ = a5.recv() => {}, _ = a6.recv() => {}, _ = a7.recv() => {},
            _ = b0.recv() => {}, _ = b1.recv() => {}, _ = b2.recv() => {}, _ = b3.recv() => {},
            _ = b4.recv() => {}, _ = b5.recv() => {}, _ = b6.recv() => {}, _ = b7.recv() => {},
        }
    }
}

/// 10,000 tasks in a circle; the token says how many laps it has left.
fn ring(name: &str) {
    const SIZE: usize = 10_000;
    const LAPS: usize = 100;
    let runtime = one();
    let (done, mut finished) = mpsc::channel::<()>(1);
    let (first, mut rx) = mpsc::channel::<usize>(1);
    runtime.block_on(async {
        for i in 0..SIZE {
            let last = i == SIZE - 1;
            let (tx, next) = match last {
                true => (first.clone(), None),
                false => {
                    let (tx, next) = mpsc::channel::<usize>(1);
                    (tx, Some(next))
                }
            };
            let done = done.clone();
            let mut own = rx;
            tokio::spawn(async move {
                while let Some(mut v) = own.recv().await {
                    if last {
                        v -= 1;
                        if v == 0 {
                            done.send(()).await.unwrap();
                            continue;
                        }
                    }
                    tx.send(v).await.unwrap();
                }
            });
            match next {
                Some(next) => rx = next,
                None => break,
            }
        }
    });
    measure(name, SIZE * LAPS, || {
        runtime.block_on(async {
            first.send(LAPS).await.unwrap();
            finished.recv().await;
        })
    });
    std::process::exit(0) // the tasks of the ring wait for ever
}

async fn spawn() {
    let handles: Vec<_> = (0..M).map(|_| tokio::spawn(async {})).collect();
    for x in handles {
        x.await.unwrap();
    }
}

/// Deadlines spread over the second that begins 10 s after the start.
async fn timers() {
    let (r0, c0, t0) = (rss(), cpu(), Instant::now());
    let base = tokio::time::Instant::from_std(t0 + Duration::from_secs(10));
    let mut handles = Vec::with_capacity(M); // its 8 bytes a task are not counted
    for i in 0..M {
        let due = base + Duration::from_micros(((i * 7919) % M) as u64);
        handles.push(tokio::spawn(tokio::time::sleep_until(due)));
    }
    tokio::task::yield_now().await;
    tokio::time::sleep(Duration::from_millis(1)).await;
    let (parked, r1) = (t0.elapsed(), rss());
    for x in handles {
        x.await.unwrap();
    }
    println!(
        "timers bytes {:.0} cpu_ns {:.0} sched_ms {:.0} first_due_ms 10000 overrun_ms {:.1}",
        (r1 - r0) / M as f64 - 8.0,
        (cpu() - c0) / M as f64,
        parked.as_secs_f64() * 1e3,
        t0.elapsed().as_secs_f64() * 1e3 - 11000.0
    );
}

/// Lets the runtime run what it has until all of it waits.
async fn settle() {
    for _ in 0..3 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

async fn parked_on_one() {
    let (r0, c0) = (rss(), cpu());
    let mut handles = Vec::with_capacity(M);
    let (tx, rx) = async_channel::bounded::<usize>(1);
    for _ in 0..M {
        let rx = rx.clone();
        handles.push(tokio::spawn(async move {
            rx.recv().await.unwrap();
        }));
    }
    settle().await;
    let r1 = rss();
    for i in 0..M {
        tx.send(i).await.unwrap();
    }
    for x in handles {
        x.await.unwrap();
    }
    let (bytes, cpu) = ((r1 - r0) / M as f64 - 8.0, (cpu() - c0) / M as f64);
    println!("parked1 bytes {:.0} cpu_ns {:.0}", bytes, cpu);
}

async fn parked_on_own() {
    let (r0, c0) = (rss(), cpu());
    let mut handles = Vec::with_capacity(M);
    let mut senders = Vec::with_capacity(M);
    for _ in 0..M {
        let (tx, rx) = oneshot::channel::<usize>();
        senders.push(tx);
        handles.push(tokio::spawn(async move {
            rx.await.unwrap();
        }));
    }
    settle().await;
    let r1 = rss();
    for x in senders {
        x.send(1).unwrap();
    }
    for x in handles {
        x.await.unwrap();
    }
    let (bytes, cpu) = ((r1 - r0) / M as f64 - 16.0, (cpu() - c0) / M as f64);
    println!("parkedn bytes {:.0} cpu_ns {:.0}", bytes, cpu);
}

fn main() {
    let row = std::env::args().nth(1).expect("usage: chanbench ROW [REPETITIONS]");
    match row.as_str() {
        "pingpong" => repeat(one(), &row, M, pingpong),
        "prodcons" => repeat(one(), &row, M, || prodcons(M, 1)),
        "buffered" => repeat(one(), &row, 5 * M, || prodcons(5 * M, 1024)),
        "mpmc0" => repeat(two(), &row, M, || mpmc(M, 1)),
        "mpmc64" => repeat(two(), &row, M, || mpmc(M, 64)),
        "select2" => repeat(one(), &row, M, select2),
        "select16" => repeat(one(), &row, M, select16),
        "ring" => ring(&row),
        "spawn" => repeat(one(), &row, M, spawn),
        "timers" => one().block_on(timers()),
        "parked1" => one().block_on(parked_on_one()),
        "parkedn" => one().block_on(parked_on_own()),
        _ => {
            eprintln!("chanbench: no row {}", row);
            std::process::exit(2)
        }
    }
}
