// A clock that stands still until a test moves it. Waits end when the time they were for has come.
import type { Clock } from '@na/service-host';

interface Wait {
  until: number;
  end: () => void;
}

export class TestClock implements Clock {
  private readonly waits = new Set<Wait>();
  private time: number;

  constructor(start: Date = new Date()) {
    this.time = start.getTime();
  }

  now(): Date {
    return new Date(this.time);
  }

  wait(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const wait: Wait = { until: this.time + ms, end: () => (this.waits.delete(wait), resolve()) };
      this.waits.add(wait);
      signal?.addEventListener('abort', wait.end, { once: true });
    });
  }

  /** Moves time on and ends the waits that are over, earliest first. */
  advance(ms: number): void {
    this.set(new Date(this.time + ms));
  }

  set(time: Date): void {
    this.time = time.getTime();
    const due = [...this.waits].filter(({ until }) => until <= this.time).sort((a, b) => a.until - b.until);
    for (const wait of due) wait.end();
  }
}
