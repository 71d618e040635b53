export const TableMissing = () => (
  <section className="card chooser" aria-labelledby="table-missing">
    <h2 id="table-missing">The database is there, its table is not</h2>
    <p>
      Wallets are rows of a table, and this database has none yet. Creating it is a step of the
      lesson:
    </p>
    <pre className="command">kubectl kubecoin init-db</pre>
    <p className="quiet">This page goes on by itself as soon as the table is there.</p>
  </section>
);
