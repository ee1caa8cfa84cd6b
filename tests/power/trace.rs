//! Parses the records of the shim.

/// One operation on the server's files, in order. A descriptor stands for the file that it was
/// opened on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Record<'t> {
    Open {
        descriptor: i32,
        path: &'t str,
        fresh: bool,
        emptied: bool,
    },
    Write {
        descriptor: i32,
        offset: usize,
        bytes: &'t [u8],
    },
    Length {
        descriptor: i32,
        length: usize,
    },
    /// The file has at least this length.
    Room {
        descriptor: i32,
        length: usize,
    },
    Close {
        descriptor: i32,
    },
    Double {
        descriptor: i32,
        of: i32,
    },
    Folder {
        path: &'t str,
    },
    Rename {
        from: &'t str,
        to: &'t str,
    },
    Remove {
        path: &'t str,
    },
    /// A sync of a file or folder began.
    SyncBegins {
        descriptor: i32,
        number: i64,
        only_data: bool,
    },
    SyncEnds {
        number: i64,
    },
    SyncFails {
        number: i64,
    },
}

/// Length of the payload, kind, descriptor, two numbers.
const HEAD: usize = 4 + 1 + 4 + 8 + 8;

/// All records. A torn one at the end is ignored, since its operation was never acknowledged.
pub(crate) fn read(mut trace: &[u8]) -> Vec<Record<'_>> {
    let mut records = Vec::new();
    while let Some((head, rest)) = trace.split_at_checked(HEAD) {
        let length = u32::from_le_bytes(head[..4].try_into().unwrap()) as usize;
        let Some((bytes, rest)) = rest.split_at_checked(length) else {
            break;
        };
        records.push(record(head, bytes));
        trace = rest;
    }
    records
}

fn record<'t>(head: &[u8], bytes: &'t [u8]) -> Record<'t> {
    let descriptor = i32::from_le_bytes(head[5..9].try_into().unwrap());
    let first = i64::from_le_bytes(head[9..17].try_into().unwrap());
    let second = i64::from_le_bytes(head[17..25].try_into().unwrap());
    let path = || std::str::from_utf8(bytes).unwrap();
    let place = || usize::try_from(first).unwrap();

    match head[4] {
        b'O' => Record::Open {
            descriptor,
            path: path(),
            fresh: first != 0,
            emptied: second != 0,
        },
        b'W' => Record::Write {
            descriptor,
            offset: place(),
            bytes,
        },
        b'L' => Record::Length {
            descriptor,
            length: place(),
        },
        b'A' => Record::Room {
            descriptor,
            length: place(),
        },
        b'C' => Record::Close { descriptor },
        b'D' => Record::Double {
            descriptor,
            of: first.try_into().unwrap(),
        },
        b'M' => Record::Folder { path: path() },
        b'U' => Record::Remove { path: path() },
        b'R' => {
            let (from, to) = path().split_once('\0').unwrap();
            Record::Rename { from, to }
        }
        b'S' => Record::SyncBegins {
            descriptor,
            number: first,
            only_data: second != 0,
        },
        b'E' => Record::SyncEnds { number: first },
        b'X' => Record::SyncFails { number: first },
        other => panic!("the shim writes no records of kind {other}"),
    }
}

#[test]
fn a_torn_last_record_is_ignored() {
    let mut trace = Vec::new();
    for bytes in [&b"data"[..], b"data/store"] {
        trace.extend(u32::try_from(bytes.len()).unwrap().to_le_bytes());
        trace.push(b'M');
        trace.extend([0; 20]);
        trace.extend(bytes);
    }

    assert_eq!(
        read(&trace),
        [
            Record::Folder { path: "data" },
            Record::Folder { path: "data/store" }
        ]
    );

    for torn in HEAD + 4..trace.len() {
        assert_eq!(
            read(&trace[..torn]),
            [Record::Folder { path: "data" }],
            "torn at {torn}"
        );
    }
}
