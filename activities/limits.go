package activities

// The settings that limit activities. A failure that a limit causes names its setting, for the one
// who can change it.
const (
	MaxResultSetting   = "ACTIVITY_MAX_RESULT_BYTES"
	MaxResponseSetting = "ACTIVITY_MAX_RESPONSE_BYTES"
	MaxRequestsSetting = "ACTIVITY_MAX_REQUESTS"
	CPUTimeSetting     = "ACTIVITY_CPU_TIMEOUT"
	MaxCPUTimeSetting  = "ACTIVITY_MAX_CPU_TIME"
	MaxMemorySetting   = "ACTIVITY_MAX_MEMORY"
)
