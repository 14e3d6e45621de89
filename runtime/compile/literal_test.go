package compile

import (
	"strings"
	"testing"
)

func TestALongBigIntIsRefused(t *testing.T) {
	t.Parallel()
	c := compiler(t, false)
	_, err := c.Compile(t.Context(), workflow("export const a = 1;\nexport const x = "+strings.Repeat("9", 10_001)+"n;"))
	if err == nil || !strings.Contains(err.Error(), "a BigInt has more than 10000 digits") {
		t.Errorf("error = %v", err)
	}
	if _, err := c.Compile(t.Context(), workflow("export const x = "+strings.Repeat("9", 10_000)+"n;")); err != nil {
		t.Error(err)
	}
}
