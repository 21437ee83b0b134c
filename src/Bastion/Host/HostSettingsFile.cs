using System.Text;
using Common.Configuration;

namespace Bastion.Host;

/// <summary><c>/etc/bastion/host.yaml</c>: what this host is to be.</summary>
internal static class HostSettingsFile
{
    /// <returns>The defaults where there is no such file.</returns>
    /// <exception cref="ConfigurationException">With every mistake.</exception>
    public static HostSettings Load(string path, bool mustExist)
    {
        if (!mustExist && !File.Exists(path))
        {
            return HostSettings.Default;
        }

        var errors = new ConfigurationErrors();
        try
        {
            if (YamlTree.Parse(File.ReadAllText(path, new UTF8Encoding(false, true)), errors) is { } map)
            {
                var settings = HostSettingsReader.Read(map, errors);
                return errors.Any ? throw new ConfigurationException(errors.All) : settings;
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or DecoderFallbackException)
        {
            errors.Add("(file)", path, e is DecoderFallbackException ? "is not UTF-8" : "cannot be read", 0);
        }

        throw new ConfigurationException(errors.All);
    }
}
