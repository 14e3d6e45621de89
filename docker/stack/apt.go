package stack

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
)

// createCluster keeps Debian's postgresql package from starting a server of its
// own on port 5432: only its programs are wanted.
const (
	createClusterFile = "/etc/postgresql-common/createcluster.conf"
	createCluster     = "create_main_cluster = false\n"
)

// InstallPackages installs Debian packages where that needs nobody's help: as
// root or with a sudo that asks for no password. The error names the command to
// run where it does.
func InstallPackages(ctx context.Context, progress io.Writer, packages ...string) error {
	command := "apt-get install " + strings.Join(packages, " ")
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("this machine has no apt-get to run `%s` with", command)
	}
	var sudo []string
	if os.Geteuid() != 0 {
		if exec.CommandContext(ctx, "sudo", "-n", "true").Run() != nil {
			return fmt.Errorf("installing needs root: run `sudo %s`", command)
		}
		sudo = []string{"sudo", "-n"}
	}
	fmt.Fprintf(progress, "installing Debian packages: %s\n", strings.Join(packages, ", "))
	script := ""
	if slices.Contains(packages, "postgresql") {
		script = "if [ ! -e " + createClusterFile + " ]; then mkdir -p $(dirname " + createClusterFile + ") && printf '" + createCluster + "' > " + createClusterFile + "; fi; "
	}
	// A lock held by another apt-get (unattended upgrades) is waited for.
	script += "export DEBIAN_FRONTEND=noninteractive; apt-get -qq -o DPkg::Lock::Timeout=300 update && apt-get -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 install " + strings.Join(packages, " ")
	argv := append(sudo, "sh", "-c", script)
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	output := &tail{next: progress}
	cmd.Stdout, cmd.Stderr = output, output
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("run `%s`: %w: %s", command, err, output)
	}
	return nil
}
