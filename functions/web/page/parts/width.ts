/** Width of a box in pixels, for drawings that must not be scaled: that would scale their text and lines as well. */
import type { RefObject } from "preact";
import { useEffect, useState } from "preact/hooks";

const LEAST = 260;

export const useWidth = (box: RefObject<Element | null>): number => {
  const [width, setWidth] = useState(720);
  useEffect(() => {
    const observer = new ResizeObserver(([entry]) => setWidth(Math.max(LEAST, Math.round(entry!.contentRect.width))));
    observer.observe(box.current!);
    return () => observer.disconnect();
  }, []);
  return width;
};
