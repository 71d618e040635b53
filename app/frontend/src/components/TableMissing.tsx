export const TableMissing = () => (
  <section className="card chooser" aria-labelledby="table-missing">
    <h2 id="table-missing">The database runs, but it has no table yet</h2>
    <p>
      Wallets are rows of a table, and this database has none yet. Creating it is a step of the
      lesson:
    </p>
    <pre className="command">kubectl kubecoin init-db</pre>
    <p className="quiet">This page continues by itself once the table exists.</p>
  </section>
);
