using System.Reflection;
using Xunit;

namespace Testing.Walls;

/// <summary>xunit 2 disposes of a test class by IDisposable or IAsyncLifetime; IAsyncDisposable alone is never called, and nobody says so.</summary>
public static class LeftBehind
{
    public static IReadOnlyList<string> In(Assembly tests) =>
    [
        .. tests.GetTypes()
            .Where(t => t.IsAssignableTo(typeof(IAsyncDisposable)) && !t.IsAssignableTo(typeof(IDisposable)) && !t.IsAssignableTo(typeof(IAsyncLifetime)))
            .Where(t => t.GetMethods().Any(m => m.IsDefined(typeof(FactAttribute), inherit: true)))
            .Select(t => $"{t.FullName} must be IAsyncLifetime"),
    ];
}
