"""Text that is read: lines with tones, how they wrap, and the widget that draws those in view."""
