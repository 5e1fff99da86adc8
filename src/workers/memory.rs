//! The allocator: talc's, in front of which small blocks that were given back are kept, by their size, to be given out
//! again. A request asks for some dozens of them and gives all back: where they are kept, neither looks at what is beside
//! a block in memory.
//!
//! While `routes.json` is compiled, it erases what is given back instead: the memory is deployed, and is to hold nothing
//! but what a gateway needs.
#![allow(unsafe_code)] // a `GlobalAlloc` is

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ptr;

use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

#[global_allocator]
static ALLOCATOR: Allocator = Allocator { kept: [const { Kept::nothing() }; SIZES], is_erasing: Cell::new(false) };

/// Smaller than that of the standard library, and no slower.
static TALC: WasmDynamicTalc = new_wasm_dynamic_allocator();

/// In how many sizes small blocks are kept: up to 4 KB, as long as what a request keeps while it waits.
const SIZES: usize = 256;

/// Sizes are so many bytes apart, as talc rounds them; of each, talc has a part for itself.
const STEP: usize = 16;
const OF_TALC: usize = size_of::<usize>();

/// How many bytes are kept in blocks of one size. More are given back to talc: others may want what is beside them too.
const MOST: usize = 16 << 10;

struct Allocator {
    /// By size.
    kept: [Kept; SIZES],
    is_erasing: Cell<bool>,
}

// SAFETY: the Wasm has one thread.
unsafe impl Sync for Allocator {}

/// Blocks of one size that nobody has, each of which begins with the address of the next.
struct Kept {
    first: Cell<*mut u8>,
    count: Cell<usize>,
}

impl Kept {
    const fn nothing() -> Self {
        Self { first: Cell::new(ptr::null_mut()), count: Cell::new(0) }
    }

    /// One of them, if there is one.
    fn take(&self) -> Option<*mut u8> {
        let count = self.count.get().checked_sub(1)?;
        self.count.set(count);
        let block = self.first.get();
        // SAFETY: `keep` has put the address there; a block is aligned for one.
        self.first.set(unsafe { block.cast::<*mut u8>().read() });
        Some(block)
    }

    /// Keeps one of so many bytes, unless there are enough.
    ///
    /// # Safety
    /// The block is of this size, and nobody has it.
    unsafe fn keep(&self, block: *mut u8, size: usize) -> bool {
        let is_room = self.count.get() * size < MOST;
        if is_room {
            unsafe { block.cast::<*mut u8>().write(self.first.get()) };
            self.first.set(block);
            self.count.set(self.count.get() + 1);
        }
        is_room
    }
}

/// From now on, or no longer, erases what is given back, and keeps none of it.
pub fn erase(is_erasing: bool) {
    ALLOCATOR.is_erasing.set(is_erasing);
}

/// What is asked of talc for a block, the same for all that can have each other's.
fn whole(layout: Layout) -> Layout {
    let size = (layout.size() + OF_TALC).next_multiple_of(STEP) - OF_TALC;
    // SAFETY: no block is so large that rounding up is more than there can be, and the larger of two alignments is one.
    unsafe { Layout::from_size_align_unchecked(size, layout.align().max(STEP)) }
}

impl Allocator {
    /// Those that a block is kept with, by what is asked of talc for it, if it is small.
    fn kept(&self, whole: Layout) -> Option<&Kept> {
        self.kept.get(whole.size() / STEP).filter(|_| whole.align() == STEP)
    }
}

// SAFETY: a block has at least the size that its layout says, and is given to one alone: by talc, or after it was given back.
unsafe impl GlobalAlloc for Allocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let whole = whole(layout);
        self.kept(whole).and_then(Kept::take).unwrap_or_else(|| unsafe { TALC.alloc(whole) })
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let whole = whole(layout);
        unsafe {
            if self.is_erasing.get() {
                ptr::write_bytes(block, 0, layout.size());
            } else if self.kept(whole).is_some_and(|kept| kept.keep(block, whole.size())) {
                return;
            }
            TALC.dealloc(block, whole);
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        unsafe {
            let new = Layout::from_size_align_unchecked(size, layout.align());
            let (old_whole, new_whole) = (whole(layout), whole(new));
            if old_whole == new_whole && !self.is_erasing.get() {
                return block;
            }
            let is_of_talc = self.kept(old_whole).is_none() && self.kept(new_whole).is_none();
            if is_of_talc && !self.is_erasing.get() {
                return TALC.realloc(block, old_whole, new_whole.size());
            }
            let moved = self.alloc(new);
            if !moved.is_null() {
                ptr::copy_nonoverlapping(block, moved, layout.size().min(size));
                self.dealloc(block, layout);
            }
            moved
        }
    }
}
