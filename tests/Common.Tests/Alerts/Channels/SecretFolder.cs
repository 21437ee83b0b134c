namespace Common.Tests.Alerts.Channels;

/// <summary>Secrets of one test.</summary>
internal sealed class SecretFolder : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("secrets");

    public string Put(string name, string secret)
    {
        var path = Path.Combine(_folder.FullName, name);
        File.WriteAllText(path, secret + "\n");
        return path;
    }

    public void Dispose() => _folder.Delete(recursive: true);
}
