/** Most pictures that are compared at once: each is a thumbnail on the page. */
export const mostPictures = 600;

/** Most names that pictures can be sorted under. */
export const labelColors = [
  "#2f6fd0",
  "#e2711d",
  "#2e9e5b",
  "#d1345b",
  "#8656c4",
  "#14a5b5",
] as const;
