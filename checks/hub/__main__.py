import sys

from checks.hub.run import main

sys.exit(main())
