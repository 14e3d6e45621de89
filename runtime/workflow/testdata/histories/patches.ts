export async function run() {
  const out: any[] = [patched('a'), patched('a')];
  deprecatePatch('b');
  await sleep(1);
  out.push(patched('c'), await condition(() => patched('d'), 5), patched('b'));
  return out;
}
