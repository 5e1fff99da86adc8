//! The allocator. While `routes.json` is compiled, it erases what is given back: the memory is deployed, and is to hold
//! nothing but what a gateway needs.
#![allow(unsafe_code)] // a `GlobalAlloc` is

use std::alloc::{GlobalAlloc, Layout};
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use talc::wasm::{WasmDynamicTalc, new_wasm_dynamic_allocator};

#[global_allocator]
static ALLOCATOR: Erasing = Erasing { is_erasing: AtomicBool::new(false) };

/// Smaller than that of the standard library, and no slower.
static TALC: WasmDynamicTalc = new_wasm_dynamic_allocator();

struct Erasing {
    is_erasing: AtomicBool,
}

/// From now on, or no longer, erases what is given back.
pub fn erase(is_erasing: bool) {
    ALLOCATOR.is_erasing.store(is_erasing, Ordering::Relaxed);
}

// SAFETY: all is done by `talc`; what is erased is as long as its layout says, and nobody's any more.
unsafe impl GlobalAlloc for Erasing {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        unsafe { TALC.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        unsafe { TALC.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        unsafe {
            if self.is_erasing.load(Ordering::Relaxed) {
                ptr::write_bytes(place, 0, layout.size());
            }
            TALC.dealloc(place, layout);
        }
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        unsafe {
            if !self.is_erasing.load(Ordering::Relaxed) {
                return TALC.realloc(place, layout, size);
            }
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                ptr::copy_nonoverlapping(place, moved, layout.size().min(size));
                self.dealloc(place, layout);
            }
            moved
        }
    }
}
