using System.Net.Sockets;
using System.Runtime.InteropServices;
using Common.Hosting;

namespace Common.Tests;

/// <summary>Types that claim to be pure and are not, one for each way out; they prove that the wall's test can fail. Never run.</summary>
internal static partial class Planted
{
    [PureCore]
    internal static class ReadsAFile
    {
        public static bool Look() => File.Exists("/etc/passwd");
    }

    [PureCore]
    internal static class AsksTheClock
    {
        public static DateTimeOffset Now() => DateTimeOffset.UtcNow;
    }

    [PureCore]
    internal static class HidesInAClosure
    {
        public static Func<string> Make(string prefix) => () => prefix + Environment.MachineName;
    }

    [PureCore]
    internal static class HidesInAnIterator
    {
        public static IEnumerable<int> Throw()
        {
            yield return Random.Shared.Next();
        }
    }

    [PureCore]
    internal static class Awaits
    {
        public static async Task<int> Wait()
        {
            await Task.Yield();
            return 1;
        }
    }

    [PureCore]
    internal static class HidesInAHelper
    {
        public static int Length() => Helper.Look().Length;
    }

    internal static class Helper
    {
        public static string Look() => File.ReadAllText("/etc/hostname");
    }

    [PureCore]
    internal static class HidesInCommon
    {
        public static object Take() => StateLock.Take("/nowhere");
    }

    [PureCore]
    internal sealed record HoldsASocket(Socket Socket);

    [PureCore]
    internal static class KeepsState
    {
        private static int _count;

        public static int Next() => ++_count;
    }

    [PureCore]
    internal static class CallsAPort
    {
        public static string Ask(IPort port) => port.Ask();
    }

    internal interface IPort
    {
        string Ask();
    }

    [PureCore]
    internal static partial class CallsTheSystem
    {
        [LibraryImport("libc", EntryPoint = "getpid")]
        [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
        public static partial int Pid();
    }

    [PureCore]
    internal static class HidesInAStaticInitialiser
    {
        public static readonly string Id = Guid.NewGuid().ToString();
    }

    [PureCore]
    internal static class IsPure
    {
        private static readonly string[] Words = ["a", "b"];

        public static string Say(int n) => n switch
        {
            0 => string.Join(' ', Words.Where(w => w.Length > n).Select(w => $"{w}{n}")),
            _ => string.Concat(Count(n)),
        };

        private static IEnumerable<int> Count(int n)
        {
            for (var i = 0; i < n; i++)
            {
                yield return i;
            }
        }
    }
}
