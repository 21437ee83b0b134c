namespace Testing.Walls;

/// <summary>What a decision may not touch, by full name. Everything else of the framework is arithmetic, text and collections.</summary>
internal static class BannedForCores
{
    private static readonly string[] Namespaces =
    [
        "System.IO.", "System.Net.Sockets.", "System.Net.Http.", "System.Net.NetworkInformation.", "System.Net.Security.", "System.Net.Mail.",
        "System.Threading.", "Microsoft.Extensions.", "Microsoft.Data.", "Microsoft.AspNetCore.", "SQLitePCL.", "System.CommandLine.", "Quartz.",
    ];

    private static readonly HashSet<string> Types =
    [
        "System.TimeProvider", "System.Random", "System.Environment", "System.Console", "System.AppDomain", "System.AppContext", "System.GC",
        "System.Net.Dns", "System.Diagnostics.Process", "System.Diagnostics.ProcessStartInfo", "System.Diagnostics.Stopwatch", "System.Diagnostics.Activity",
        "System.Diagnostics.Trace", "System.Security.Cryptography.RandomNumberGenerator", "System.Runtime.InteropServices.NativeLibrary",
        "System.Runtime.InteropServices.Marshal", "System.Runtime.CompilerServices.AsyncTaskMethodBuilder", "System.Runtime.CompilerServices.AsyncTaskMethodBuilder`1",
        "System.Runtime.CompilerServices.AsyncVoidMethodBuilder",
    ];

    /// <summary>Data and text that only live in a banned namespace.</summary>
    private static readonly HashSet<string> AllowedTypes =
    [
        // Readers and writers of strings in memory, and their base classes.
        "System.IO.StringReader", "System.IO.StringWriter", "System.IO.TextReader", "System.IO.TextWriter",
        // Bytes in memory.
        "System.IO.MemoryStream",
        // An exception that says what is wrong with data; no file is involved.
        "System.IO.InvalidDataException",
        // Enums: numbers with names.
        "System.Net.Sockets.AddressFamily", "System.Net.Sockets.SocketError", "System.IO.UnixFileMode",
    ];

    private static readonly HashSet<string> Members =
    [
        "System.DateTime.get_Now", "System.DateTime.get_UtcNow", "System.DateTime.get_Today", "System.DateTimeOffset.get_Now", "System.DateTimeOffset.get_UtcNow",
        "System.Guid.NewGuid", "System.Guid.CreateVersion7", "System.TimeZoneInfo.get_Local",
    ];

    private static readonly HashSet<string> AllowedMembers =
    [
        // Compiled into every iterator method.
        "System.Environment.get_CurrentManagedThreadId",
        "System.Environment.get_NewLine",
        // Joins two strings; never looks at a disk.
        "System.IO.Path.Combine", "System.IO.Path.Join", "System.IO.Path.GetFileName", "System.IO.Path.GetDirectoryName",
        // Compiled into generated regular expressions, for their default limit of time.
        "System.AppContext.GetData",
        // The element type of a lock-free cache in compiled lambdas and field-like events.
        "System.Threading.Interlocked.CompareExchange",
    ];

    public static bool Type(string type) =>
        !AllowedTypes.Contains(type) && (Types.Contains(type) || Namespaces.Any(n => type.StartsWith(n, StringComparison.Ordinal)));

    /// <remarks>Members of Stream are free because a memory stream's are called by that name; any other stream must first be named or opened.</remarks>
    public static bool Member(string type, string member) =>
        type != "System.IO.Stream" && !AllowedMembers.Contains($"{type}.{member}") && (Type(type) || Members.Contains($"{type}.{member}"));
}
