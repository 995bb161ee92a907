// The heart's own thread: pages that are put away have their timers slowed down, workers not.
//
// It is told milliseconds and answers with a message each time they have gone by.

let timer = 0;
onmessage = ({ data }) => {
  clearInterval(timer);
  if (data > 0) timer = setInterval(() => postMessage(0), data);
};
