//! The courses of demand that the base fee is shown under.

/// Blocks of each: half an hour at 500 ms.
pub const BLOCKS: u32 = 3_600;
/// When a crowd comes, and how long it stays: a minute.
const CROWD: std::ops::Range<u32> = 600..720;

/// Whose turn the next term is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Turns {
    /// Drawn by equal weights, as on chain: some lead twice in a row.
    ByLot,
    /// One after the other.
    InTurn,
}

/// One of them.
#[derive(Clone, Copy, Debug)]
pub struct Course {
    /// As the table shows it.
    pub name: &'static str,
    /// How many lead.
    pub leaders: u32,
    /// How many of these fill what users leave of their own blocks.
    pub fillers: u32,
    /// Whose turn it is.
    pub turns: Turns,
    /// What users want of a block at the minimum price, percent.
    pub demand: fn(u32) -> u32,
    /// Whether users want half as much at twice the price; else the price is nothing to
    /// them.
    pub elastic: bool,
}

impl Course {
    /// Whether this leader fills its blocks; those that do are spread evenly.
    pub fn fills(&self, leader: u32) -> bool {
        leader.saturating_mul(self.fillers) % self.leaders < self.fillers
    }
}

const FIFTH: Course = Course {
    name: "a fifth full, always",
    leaders: 21,
    fillers: 0,
    turns: Turns::ByLot,
    demand: |_| 20,
    elastic: false,
};
const HALF: Course = Course { leaders: 4, fillers: 1, demand: |_| 50, ..FIFTH };

/// All of them.
pub const COURSES: [Course; 9] = [
    FIFTH,
    Course {
        name: "a minute of full blocks, else a fifth",
        demand: |block| if CROWD.contains(&block) { 100 } else { 20 },
        ..FIFTH
    },
    Course { name: "a fifth full, one leader of 21 fills its own", fillers: 1, ..FIFTH },
    Course { name: "a fifth full, seven leaders of 21 fill their own", fillers: 7, ..FIFTH },
    Course { name: "two fifths full, one leader of four fills its own", demand: |_| 40, ..HALF },
    Course { name: "half full, one leader of 21 fills its own", leaders: 21, ..HALF },
    Course { name: "half full, one leader of four fills its own", ..HALF },
    Course { name: "the same, leaders in turn", turns: Turns::InTurn, ..HALF },
    Course { name: "the same by lot, users mind the price", elastic: true, ..HALF },
];
