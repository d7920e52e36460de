/** A process of its own: unpacks the browser that npm installed, and prints where it is and how it wants to be started. */
import chromium from "@sparticuz/chromium";

const path = await chromium.executablePath();
console.log(JSON.stringify({ path, args: chromium.args, libraries: process.env.LD_LIBRARY_PATH ?? "" }));
