using System.CommandLine;
using System.Text;
using InternalHost.Cloud.Making;
using InternalHost.Configuration;

namespace InternalHost.Cli;

/// <summary>The token by which machines are made: from a file, the environment or the keyboard; never an argument, and kept nowhere.</summary>
internal static class CreatingToken
{
    private const string Variable = "DIGITALOCEAN_TOKEN";
    private const int Longest = 4096;

    /// <exception cref="MakingException">There is none, or it is no token.</exception>
    public static string Find(string? file, InvocationConfiguration io)
    {
        var text = file switch
        {
            "-" => Console.In.ReadToEnd(),
            { } path => OfFile(path),
            null when Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given => given,
            null when !Console.IsInputRedirected => Asked(io),
            _ => throw new MakingException($"there is no token: set {Variable}, or give --token-file FILE (- reads it from standard input)"),
        };
        return text.Trim() is { Length: > 0 and <= Longest } token && token.All(c => c is > ' ' and <= '~')
            ? token
            : throw new MakingException("what was given is no token: one word is needed, and nothing else");
    }

    private static string OfFile(string path) =>
        SecretFiles.CheckKey(Path.GetFullPath(path)) is { } problem ? throw new MakingException($"--token-file: {problem}") : File.ReadAllText(path);

    private static string Asked(InvocationConfiguration io)
    {
        io.Error.Write("DigitalOcean token (is not shown): ");
        var typed = new StringBuilder();
        while (Console.ReadKey(intercept: true) is var key && key.Key != ConsoleKey.Enter && typed.Length <= Longest)
        {
            if (key.Key == ConsoleKey.Backspace && typed.Length > 0)
            {
                typed.Length--;
            }
            else if (key.KeyChar > ' ')
            {
                typed.Append(key.KeyChar);
            }
        }

        io.Error.WriteLine();
        return typed.ToString();
    }
}
