//! Memory for guests, made for calls that are many and short.
//!
//! An instance lives for one attempt. What hurts a short call is changing the process's memory map, and a general
//! allocator grows the memory at its first allocation even where the initial memory is free. So allocations bump
//! through what lies between the guest's data and the end of its initial memory, and only what does not fit there goes
//! to a real allocator, which takes the memory behind it.

use std::alloc::{GlobalAlloc, Layout};
use std::cell::UnsafeCell;

use dlmalloc::{Allocator, Dlmalloc};

const PAGE: usize = 64 * 1024;

unsafe extern "C" {
    /// Where the linker's data and stack end.
    static __heap_base: u8;
}

struct Memory {
    /// First free byte of the initial memory; 0 before the first allocation.
    next: usize,
    /// Where the initial memory ends.
    end: usize,
    beyond: Dlmalloc<Growth>,
}

struct GuestAllocator(UnsafeCell<Memory>);

// SAFETY: a guest has one thread.
unsafe impl Sync for GuestAllocator {}

#[global_allocator]
static ALLOCATOR: GuestAllocator =
    GuestAllocator(UnsafeCell::new(Memory { next: 0, end: 0, beyond: Dlmalloc::new_with_allocator(Growth) }));

/// Memory that the guest did not begin with. The crate's own source would hand out the initial memory as well, which is
/// ours.
struct Growth;

// SAFETY: what `memory.grow` gives belongs to nobody else, and is zero.
unsafe impl Allocator for Growth {
    fn alloc(&self, size: usize) -> (*mut u8, usize, u32) {
        let pages = size.div_ceil(PAGE);
        let first = core::arch::wasm32::memory_grow(0, pages);
        match first.checked_mul(PAGE) {
            // The last page is not used: its end would be address 0.
            Some(start) if first != usize::MAX && start.checked_add(pages * PAGE).is_some() => {
                (start as *mut u8, pages * PAGE, 0)
            }
            _ => (core::ptr::null_mut(), 0, 0),
        }
    }

    fn remap(&self, _block: *mut u8, _old: usize, _new: usize, _can_move: bool) -> *mut u8 {
        core::ptr::null_mut()
    }

    fn free_part(&self, _block: *mut u8, _old: usize, _new: usize) -> bool {
        false
    }

    fn free(&self, _block: *mut u8, _size: usize) -> bool {
        false
    }

    fn can_release_part(&self, _flags: u32) -> bool {
        false
    }

    fn allocates_zeros(&self) -> bool {
        true
    }

    fn page_size(&self) -> usize {
        PAGE
    }
}

impl Memory {
    fn bump(&mut self, layout: Layout) -> Option<*mut u8> {
        if self.next == 0 {
            self.next = (&raw const __heap_base).addr();
            self.end = core::arch::wasm32::memory_size(0) * PAGE;
        }
        let start = self.next.checked_next_multiple_of(layout.align())?;
        let end = start.checked_add(layout.size())?;
        if end > self.end {
            return None;
        }
        self.next = end;
        Some(start as *mut u8)
    }

    fn is_bumped(&self, pointer: *mut u8) -> bool {
        pointer.addr() < self.end
    }
}

// SAFETY: bumped blocks do not overlap, and lie below `end`; blocks of `beyond` lie above it, since it only takes memory
// that it grew itself. So each block goes back to where it came from.
unsafe impl GlobalAlloc for GuestAllocator {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: one thread, and no allocation calls back into the allocator.
        let memory = unsafe { &mut *self.0.get() };
        match memory.bump(layout) {
            Some(pointer) => pointer,
            // SAFETY: the caller's layout is valid.
            None => unsafe { memory.beyond.malloc(layout.size(), layout.align()) },
        }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: as in `alloc`.
        let memory = unsafe { &mut *self.0.get() };
        if !memory.is_bumped(pointer) {
            // SAFETY: it came from `beyond` with this layout.
            unsafe { memory.beyond.free(pointer, layout.size(), layout.align()) };
        } else if pointer.addr() + layout.size() == memory.next {
            // The last block can be taken back; others wait for the end of the instance.
            memory.next = pointer.addr();
        }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, new_size: usize) -> *mut u8 {
        // SAFETY: as in `alloc`.
        let memory = unsafe { &mut *self.0.get() };
        if !memory.is_bumped(pointer) {
            // SAFETY: it came from `beyond` with this layout.
            return unsafe { memory.beyond.realloc(pointer, layout.size(), layout.align(), new_size) };
        }
        let start = pointer.addr();
        if start + layout.size() == memory.next
            && let Some(end) = start.checked_add(new_size)
            && end <= memory.end
        {
            // The last block grows and shrinks in place: buffers that are being filled cost nothing.
            memory.next = end;
            return pointer;
        }
        if new_size <= layout.size() {
            return pointer;
        }
        // SAFETY: the caller promises a valid size; the blocks do not overlap and the old one is shorter.
        unsafe {
            let new = self.alloc(Layout::from_size_align_unchecked(new_size, layout.align()));
            if !new.is_null() {
                core::ptr::copy_nonoverlapping(pointer, new, layout.size());
            }
            new
        }
    }
}
