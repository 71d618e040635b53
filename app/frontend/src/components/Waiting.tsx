/** Shown until the first answer; the header and the panel tell what is broken, if anything is. */
export const Waiting = () => (
  <section className="card waiting">
    <p className="quiet">Looking for the exchange…</p>
  </section>
);
