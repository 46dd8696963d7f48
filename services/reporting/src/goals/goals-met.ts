// Which goals a hit meets. Pure: that each is met at most once per hit is kept by the table of conversions.

export interface JudgedHit {
  workspaceId: string;
  pageId: string | null;
  type: string;
  name: string | null;
}

export interface JudgedGoal {
  workspaceId: string;
  eventName: string;
  pageId: string | null;
}

export function goalsMetBy<G extends JudgedGoal>(hit: JudgedHit, goals: G[]): G[] {
  return goals.filter((goal) => isMet(goal, hit));
}

function isMet(goal: JudgedGoal, hit: JudgedHit): boolean {
  return (
    goal.workspaceId === hit.workspaceId &&
    hit.type === 'event' &&
    hit.name === goal.eventName &&
    (goal.pageId === null || goal.pageId === hit.pageId)
  );
}
