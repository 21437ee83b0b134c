using System.Runtime.InteropServices;

namespace Common.Journal;

/// <summary>Binds Microsoft.Data.Sqlite to the distribution's own, patched libsqlite3 (docs/decisions/0004).</summary>
internal static class SqliteNative
{
    private static readonly Lazy<bool> Ready = new(() =>
    {
        NativeLibrary.SetDllImportResolver(typeof(SQLitePCL.SQLite3Provider_e_sqlite3).Assembly, (name, _, _) =>
            name == "e_sqlite3" ? NativeLibrary.Load("libsqlite3.so.0") : 0);
        SQLitePCL.raw.SetProvider(new SQLitePCL.SQLite3Provider_e_sqlite3());
        return true;
    });

    public static void Load() => _ = Ready.Value;
}
